use super::*;

fn error(code: u16, body: &str) -> ProviderError {
    let code = StatusCode::from_u16(code).unwrap();
    Refusal::new(code, None, body.as_bytes()).error(Subject::default())
}

fn invalid(code: u16, body: &str) -> Invalid {
    match error(code, body) {
        ProviderError::Invalid(invalid) => invalid,
        other => panic!("another error: {other}"),
    }
}

#[test]
fn answers_become_the_errors_that_callers_branch_on() {
    let kinds = |error: &ProviderError| match error {
        ProviderError::Unreachable(_) => "unreachable",
        ProviderError::Unauthorized(_) => "unauthorized",
        ProviderError::Forbidden(_) => "forbidden",
        ProviderError::NotFound(_) => "not found",
        ProviderError::Conflict(_) => "conflict",
        ProviderError::Stale(_) => "stale",
        ProviderError::Invalid(_) => "invalid",
        ProviderError::Server(_) => "server",
    };
    let typed =
        r#"{"message":"failed to create typed patch object (a/b; v1, Kind=X): .spec.y: field not declared"}"#;
    let cases = [
        (400, "", "invalid"),
        (401, "", "unauthorized"),
        (403, "", "forbidden"),
        (404, "", "not found"),
        (405, "", "server"),
        (409, "", "server"),
        (413, "", "invalid"),
        (422, "", "invalid"),
        (429, "", "server"),
        (500, "", "server"),
        (500, typed, "invalid"),
        (
            500,
            r#"{"message":"failed to convert new object (a/b; v1, Kind=X) to proper version: parsing time"}"#,
            "invalid",
        ),
        (503, "<html>", "server"),
        (504, "", "server"),
    ];
    for (code, body, kind) in cases {
        assert_eq!(kinds(&error(code, body)), kind, "{code} {body}");
    }
}

#[test]
fn messages_name_fields_and_leave_out_what_was_sent() {
    let cases = [
        (r#"{"message":"plain words"}"#, "plain words"),
        ("<html>nothing of use</html>", "HTTP 422 Unprocessable Entity"),
        (
            r#"{"message":"x is invalid","details":{"causes":[
                {"field":"spec.selector","message":"Invalid value: {\"a\":\"b: c\"}: field is immutable"},
                {"field":"spec.type","message":"Unsupported value: \"No\": supported values: \"A\", \"B\""}]}}"#,
            "spec.selector: Invalid value: …: field is immutable; \
             spec.type: Unsupported value: \"No\": supported values: \"A\", \"B\"",
        ),
        (
            r#"{"message":"spec.a: Invalid value: v1.X{B:map[string]int{}}, spec.b: Invalid value: \"s\""}"#,
            "spec.a: Invalid value: …, spec.b: Invalid value: \"s\"",
        ),
        (
            r#"{"message":".data.x: expected string, got &value.valueUnstructured{Value:2}"}"#,
            ".data.x: expected string, got …",
        ),
        (
            r#"{"message":"failed to create typed patch object: errors:\n  .e: field not declared in schema\n  .a: expected string, got &value.valueUnstructured{Value:map[string]interface {}{\"b\":\"c\"}}\n  .d: expected string, got &value.valueUnstructured{Value:true}"}"#,
            "failed to create typed patch object: errors:\n  .a: expected string, got …\n  .d: expected string, got …\n  .e: field not declared in schema",
        ),
        (
            r#"{"message":"[a: Invalid value: [1, 2], b: Invalid value: {\"open"}"#,
            "[a: Invalid value: …, b: Invalid value: …",
        ),
    ];
    for (body, message) in cases {
        assert_eq!(invalid(422, body).message, message);
    }
}

#[test]
fn the_fields_that_are_wrong_are_named() {
    let body = r#"{"message":"x is invalid","details":{"causes":[
        {"reason":"FieldValueInvalid","message":"field is immutable","field":"spec.template"},
        {"reason":"FieldValueInvalid","message":"field is immutable","field":"spec.selector"},
        {"reason":"FieldValueForbidden","message":"no","field":"spec.template"},{"message":"all of it"}]}}"#;
    assert_eq!(invalid(422, body).fields, ["spec.selector", "spec.template"]);
}

#[test]
fn messages_are_bounded() {
    let long = format!(r#"{{"message":"{}"}}"#, "ä".repeat(5000));
    let message = invalid(422, &long).message;
    assert!(message.len() <= LONGEST_MESSAGE + '…'.len_utf8());
    let value = format!(r#"{{"message":"a: Invalid value: \"{}\": too long"}}"#, "s".repeat(500));
    assert_eq!(invalid(422, &value).message, "a: Invalid value: …: too long");
}

#[test]
fn passing_faults_are_told_from_lasting_ones() {
    let five = Some(Duration::from_secs(5));
    let in_body = r#"{"details":{"retryAfterSeconds":5}}"#;
    let cases = [
        (429, None, "", Some(Fault::Refused(None))),
        (429, five, "", Some(Fault::Refused(five))),
        (429, None, in_body, Some(Fault::Refused(five))),
        (503, five, "", Some(Fault::Refused(five))),
        (503, None, "", Some(Fault::Failed(None))),
        (504, five, "", Some(Fault::Failed(five))),
        (409, None, r#"{"reason":"Conflict","message":"modified"}"#, Some(Fault::Refused(None))),
        (409, None, r#"{"reason":"Conflict","message":"uid mismatch"}"#, None),
        (409, None, r#"{"reason":"AlreadyExists"}"#, Some(Fault::Refused(None))),
        (409, None, "", None),
        (500, None, "", None),
        (422, None, "", None),
    ];
    for (code, retry_after, body, fault) in cases {
        let status = StatusCode::from_u16(code).unwrap();
        let refusal = Refusal::new(status, retry_after, body.as_bytes());
        assert_eq!(refusal.fault(), fault, "{code} {body}");
    }
}

#[test]
fn what_a_credential_plugin_printed_is_not_told() {
    let out = std::process::Output {
        status: std::process::ExitStatus::default(),
        stdout: b"token: hunter2".to_vec(),
        stderr: Vec::new(),
    };
    for cmd in [
        "login",
        r#""login" "--password" "hunter2""#,
        r#"INFO="{\"a\":\"hunter2\"}" "login" "hunter2""#,
        r#"env -u HUNTER INFO="hunter2" "login""#,
    ] {
        let auth = AuthError::AuthExecRun { cmd: cmd.to_owned(), out: Box::new(out.clone()) };
        let error = unanswered(&kube::Error::Service(Box::new(auth)));
        let message = error.to_string();
        assert!(matches!(error, ProviderError::Unauthorized(_)));
        assert!(message.contains("\"login\"") && !message.contains("hunter2"), "{message}");
    }
}

#[test]
fn transport_errors_give_their_causes() {
    let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    let error = unanswered(&kube::Error::Service(Box::new(refused)));
    assert_eq!(error, ProviderError::Unreachable("connection refused".to_owned()));
}
