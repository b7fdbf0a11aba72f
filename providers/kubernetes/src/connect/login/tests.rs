use std::collections::HashMap;

use super::*;

fn shell(script: &str) -> ExecConfig {
    let exec = json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "sh",
        "args": ["-c", script],
        "interactiveMode": "Never",
    });
    serde_json::from_value(exec).unwrap()
}

fn printed(status: &str) -> String {
    format!(
        r#"echo '{{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{status}}}'"#
    )
}

async fn header(login: &Login) -> String {
    let header = login.header().await.map_err(|error| error.to_string()).unwrap();
    assert!(header.is_sensitive());
    header.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_token_is_added_to_requests() {
    for script in [printed(r#"{"token":"t"}"#), "printf 'status:\\n  token: t\\n'".to_owned()] {
        let login = LoginProgram::new(shell(&script)).log_in(&mut AuthInfo::default()).unwrap().unwrap();
        assert_eq!(header(&login).await, "Bearer t");
    }
}

#[tokio::test]
async fn a_token_that_ends_is_asked_for_anew() {
    let directory = env::temp_dir().join(format!("terrane-plugin-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let count = directory.join("count");
    let token = |ends: &str| printed(&format!(r#"{{"token":"'$n'","expirationTimestamp":"{ends}"}}"#));
    let counted = |ends: &str| {
        format!(
            "echo >> {count}; n=$(wc -l < {count}); n=$(echo $n); {}",
            token(ends),
            count = count.display()
        )
    };
    let past = LoginProgram::new(shell(&counted("2020-01-01T00:00:00Z")));
    let login = past.log_in(&mut AuthInfo::default()).unwrap().unwrap();
    assert_eq!((header(&login).await, header(&login).await), ("Bearer 2".into(), "Bearer 3".into()));
    let later = LoginProgram::new(shell(&counted("2120-01-01T00:00:00Z")));
    let login = later.log_in(&mut AuthInfo::default()).unwrap().unwrap();
    assert_eq!((header(&login).await, header(&login).await), ("Bearer 4".into(), "Bearer 4".into()));
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_certificate_is_logged_in_with() {
    let script = printed(r#"{"clientCertificateData":"cert","clientKeyData":"key"}"#);
    let mut auth = AuthInfo::default();
    assert!(LoginProgram::new(shell(&script)).log_in(&mut auth).unwrap().is_none());
    assert_eq!(auth.client_certificate_data, Some(STANDARD.encode("cert")));
    assert!(auth.client_key_data.is_some());
}

#[test]
fn a_plugin_that_does_not_end_is_killed() {
    let endless = "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done";
    for (script, what) in [
        ("exec sleep 600", "it sleeps"),
        ("cat > /dev/null; exec sleep 600", "it reads"),
        ("sleep 600 & exit 0", "it leaves somebody behind"),
        (endless, "it prints for ever"),
    ] {
        let limit = Duration::from_millis(700);
        let start = Instant::now();
        let error =
            LoginProgram::within(shell(script), limit).log_in(&mut AuthInfo::default()).err().unwrap();
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        match what {
            // The end of its pipe ends it as well.
            "it prints for ever" => assert!(
                matches!(error, LoginError::Slow { .. } | LoginError::Failed { .. }),
                "{what}: {error}"
            ),
            _ => assert!(matches!(error, LoginError::Slow { .. }), "{what}: {error}"),
        }
    }
}

#[test]
fn what_is_no_credential_is_not_shown() {
    for (script, want) in [
        ("echo hunter2; exit 3".to_owned(), "the credential plugin \"sh\" failed with exit status: 3"),
        ("echo hunter2".to_owned(), "the credential plugin \"sh\" printed no credentials"),
        (printed("{}"), "the credential plugin \"sh\" printed no credentials"),
        (printed(r#"{"token":"a\u0001hunter2"}"#), "the credential plugin \"sh\" printed no credentials"),
        (printed(r#"{"clientKeyData":"hunter2"}"#), "the credential plugin \"sh\" printed no credentials"),
    ] {
        let error = LoginProgram::new(shell(&script)).log_in(&mut AuthInfo::default()).err().unwrap();
        assert_eq!(error.to_string(), want);
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}

#[test]
fn a_plugin_that_is_not_there_says_how_to_get_it() {
    let exec = ExecConfig {
        command: Some("/nowhere/plugin".into()),
        install_hint: Some("brew install plugin\n".into()),
        ..shell("")
    };
    let error = LoginProgram::new(exec).log_in(&mut AuthInfo::default()).err().unwrap().to_string();
    assert!(error.contains("\"/nowhere/plugin\" cannot be started: "), "{error}");
    assert!(error.ends_with("; brew install plugin"), "{error}");
}

#[test]
fn a_plugin_is_told_what_it_may_know() {
    let named = |name: &str, value: &str| {
        HashMap::from([("name".to_owned(), name.to_owned()), ("value".to_owned(), value.to_owned())])
    };
    let script = r#"test "$EXTRA" = given && case "$KUBERNETES_EXEC_INFO" in
        *'"interactive":false'*) true ;;
        *) false ;;
    esac && "#;
    let exec = ExecConfig {
        env: Some(vec![named("EXTRA", "given")]),
        interactive_mode: Some(ExecInteractiveMode::IfAvailable),
        ..shell(&format!("{script}{}", printed(r#"{"token":"t"}"#)))
    };
    // Whoever runs the tests at a terminal is asked there.
    if !io::stdin().is_terminal() {
        assert!(LoginProgram::new(exec.clone()).log_in(&mut AuthInfo::default()).is_ok());
        let exec = ExecConfig { interactive_mode: Some(ExecInteractiveMode::Always), ..exec };
        let error = LoginProgram::new(exec).log_in(&mut AuthInfo::default()).err().unwrap();
        assert!(matches!(error, LoginError::Unattended { .. }), "{error}");
    }
}
