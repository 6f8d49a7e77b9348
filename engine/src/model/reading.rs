//! By which method rows are read, and with which body.

use serde::{Deserialize, Serialize};

/// The method of the requests that read rows: the user's promise that they change nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Method {
    /// GET
    #[default]
    Get,
    /// POST
    Post,
    /// PUT
    Put,
    /// QUERY, a GET with a body.
    Query,
}

impl Method {
    /// As it stands in a request.
    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Query => "QUERY",
        }
    }

    /// Whether a request may be sent again where it is not known if the server saw it (RFC 9110, section
    /// 9.2.2).
    pub fn is_idempotent(self) -> bool {
        self != Method::Post
    }
}

/// What the body of a request is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BodyPlan {
    /// What it is.
    pub kind: BodyKind,
    /// A template over what is sent; without one the body is an object, or a form, of all parameters.
    pub template: Option<String>,
}

/// The kinds of bodies (option `body_type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum BodyKind {
    /// application/json
    #[default]
    Json,
    /// application/x-www-form-urlencoded
    Form,
    /// text/plain
    Text,
}

impl BodyKind {
    /// The Content-Type header.
    pub fn content_type(self) -> &'static str {
        match self {
            BodyKind::Json => "application/json",
            BodyKind::Form => "application/x-www-form-urlencoded",
            BodyKind::Text => "text/plain; charset=utf-8",
        }
    }
}
