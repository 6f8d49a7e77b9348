//! Which names give away that their value is a secret.

/// Whether a header, parameter or cookie of this name obviously carries a credential.
///
/// Spelling does not matter: `X-API-Key`, `x_api_key` and `xApiKey` are one name.
pub(crate) fn names_a_credential(name: &str) -> bool {
    const WHOLE: [&str; 12] = [
        "auth",
        "authorization",
        "proxyauthorization",
        "cookie",
        "token",
        "bearer",
        "secret",
        "passwd",
        "pwd",
        "privatetoken",
        "jobtoken",
        "subscriptionkey",
    ];
    const ENDINGS: [&str; 10] = [
        "apikey",
        "accesstoken",
        "authtoken",
        "apitoken",
        "refreshtoken",
        "bearertoken",
        "password",
        "clientsecret",
        "apisecret",
        "secretkey",
    ];
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    WHOLE.contains(&plain.as_str()) || ENDINGS.iter().any(|ending| plain.ends_with(ending))
}
