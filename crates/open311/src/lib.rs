//! Open311 GeoReport v2: the wire forms of service lists, service requests, tokens, errors and discovery, in JSON and in XML, and
//! what clients send. Pure: bytes and moments in, values and text out.
//!
//! The standard is the wiki page GeoReport v2 (<https://wiki.open311.org/GeoReport_v2/>), frozen, and Service Discovery
//! (<https://wiki.open311.org/Service_Discovery/>). What it asks, in our words, with the names of its sections:
//!
//! | section | what it asks | where |
//! | --- | --- | --- |
//! | Format Support | XML always, JSON where the server likes; the ending of the address says which | [`Format`] |
//! | Encoding | UTF-8 only, XML with its declaration | [`Format::render`] |
//! | Date/time format | ISO 8601 with zone (`Z` or `+hh:mm`) | [`query`] |
//! | Errors | an array of `code` and `description`; 400, 403 (key), 404 | [`Fault`] |
//! | GET Service List | code, name, description, metadata, type, keywords, group | [`Service`] |
//! | GET Service Definition | further attributes of a service | [`Service::definition`] |
//! | POST Service Request | a form; service code and one of place, address or address id are needed | [`Draft`] |
//! | GET service_request_id from a token | id and token | [`created`], [`token_answer`] |
//! | GET Service Requests | ids win over all else; else codes, dates, status; 90 days or 1,000 requests | [`query`] |
//! | GET Service Request | one, in an array of one | [`Request`] |
//!
//! What is sent to another endpoint, how its answer is judged and how a request is found there again is [`forward`].
//!
//! A server that gives the id at once (as ours) answers the token too, which finds the same id.

mod draft;
mod fault;
mod fields;
mod forms;
pub mod forward;
pub mod query;

pub use draft::{Contact, Draft, Limits};
pub use fault::Fault;
pub use fields::{read_created, read_faults, read_requests};
pub use forms::{
    Created, Discovery, Endpoint, Format, Request, Service, ServiceType, Status, created,
    requests_answer, services_answer, token_answer,
};
