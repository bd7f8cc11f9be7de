//! What is decided of duty (值班): which shift runs from when until when, who is on duty now and next, what a response plan
//! (预案) asks for and by when, which resources (应急资源) are nearest, and what a shift report (值班报告) says, as PDF and as
//! a Word-compatible file. Pure: whoever needs the time gives it.
//!
//! Reading order: [`roster`], [`sheet`] (the roster as a file), [`response`], [`level`] (which of several is suggested), [`nearest`], then the report: [`report`] (what it
//! says), [`document`] (how it is laid out), [`docx`] and [`pdf`] (how it is written); [`official`] is the form of official documents (公文).

pub mod document;
pub mod docx;
pub mod level;
pub mod nearest;
pub mod official;
pub mod pdf;
pub mod report;
pub mod response;
pub mod roster;
pub mod sheet;
