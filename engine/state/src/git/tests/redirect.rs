//! A server that sends us elsewhere gets nothing that is meant for it there.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::support::Sandbox;
use super::*;
use crate::git::answer::Fault;

/// A web server that notes what it is asked with, and gives every request the same answer.
struct Site {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Site {
    fn answering(answer: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, asked) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<String>>>::default());
        let noted = asked.clone();
        // It ends with the test.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                noted.lock().unwrap().push(exchange(stream, &answer));
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn exchange(mut stream: TcpStream, answer: &str) -> String {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let request: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
    stream.write_all(answer.as_bytes()).unwrap();
    request.join("\n")
}

#[test]
fn no_credential_follows_a_redirect() {
    let passed = [("http.extraHeader", "X-Token: canary"), ("credential.helper", "!echo password=canary")];
    let passed = passed.map(|(key, value)| (key.to_owned(), value.to_owned()));
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let nobody =
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n";
        let elsewhere = Site::answering(nobody.into());
        let location = format!("http://localhost:{}/state.git", elsewhere.address.port());
        let site = Site::answering(format!(
            "HTTP/1.1 {status}\r\nLocation: {location}/info/refs?service=git-upload-pack\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n"
        ));
        let sandbox = Sandbox::new();
        let url = format!("http://127.0.0.1:{}/state.git", site.address.port());
        // The state travels by https only; what is tested is the same for both.
        let environment = sandbox.environment().for_transport(&passed).with([("GIT_ALLOW_PROTOCOL", "http")]);
        let output = child::run(&sandbox.path(""), &environment, &["ls-remote", "--", &url], Limits::TIME);
        let output = output.map_err(|error| error.to_string()).unwrap();
        assert!(!output.success);
        assert!(site.asked()[0].contains("X-Token: canary"), "the header is meant for this server");
        assert_eq!(elsewhere.asked(), Vec::<String>::new(), "{status}");
        let answer = output.answer(&[]);
        assert_eq!(answer.fault, Fault::Unusable, "{status}: {}", answer.reason);
        assert!(answer.reason.contains("redirects are not followed"), "{status}: {}", answer.reason);
    }
}
