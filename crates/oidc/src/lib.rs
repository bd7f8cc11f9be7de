//! Jingling as an OpenID Connect provider: people sign in to the departments' systems with their account here. No HTTP, no
//! clock and no randomness of its own: times are arguments, and random bytes come from the function given at the start.
//!
//! What is spoken: OAuth 2.0 (RFC 6749) as OAuth 2.1 narrows it: the authorisation code with PKCE (RFC 7636, S256 alone),
//! refresh tokens with rotation, client credentials, devices (RFC 8628), revocation (RFC 7009), introspection (RFC 7662),
//! access tokens as JWT (RFC 9068), the issuer in the answer (RFC 9207); OpenID Connect Core 1.0, Discovery 1.0, RP-Initiated
//! Logout 1.0 and Back-Channel Logout 1.0.
//!
//! Reading order: [`fault`] (how it fails, in the protocol's words), [`form`] (parameters), [`client`] (who may ask),
//! [`pkce`], [`asked`] (a request to sign in, understood), [`keys`] and [`tokens`] (what is signed), [`address`] (where
//! nothing is ever sent), then [`Provider`] and its parts: clients, codes, tokens, devices, sessions. The other way round,
//! a city whose people sign in with an outside provider: [`outside`] and [`outside_token`].

pub mod address;
pub mod asked;
pub mod client;
mod clients;
mod codes;
mod devices;
pub mod discovery;
mod exchange;
pub mod fault;
pub mod form;
pub mod keys;
mod logout;
pub mod outside;
pub mod outside_token;
pub mod pkce;
pub mod provider;
pub mod rate;
mod ring_jws;
pub mod secret;
mod spent;
pub mod tokens;

pub use client::{Client, ClientChange, ClientDraft, Grant};
pub use clients::{Granted, NewClientSecret};
pub use codes::{Question, Signed};
pub use devices::{DeviceAnswer, DeviceQuestion};
pub use exchange::TokenAnswer;
pub use fault::Fault;
pub use keys::Keys;
pub use logout::{LogoutAsked, Notice};
pub use provider::{Options, Provider};
pub use spent::{Introspection, UserInfo};
