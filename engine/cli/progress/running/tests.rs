use std::time::Duration;

use super::*;

fn address(number: usize) -> Address {
    format!("manifest.m[\"{number}\"]").parse().expect("an address")
}

#[test]
fn the_longest_running_are_shown_and_the_rest_is_counted() {
    let mut running = Running::default();
    let begin = Instant::now();
    for number in 0..13 {
        running.say(&address(number), (format!("object {number}: creating"), String::new()), begin);
    }
    let waiting = ("object 3: waiting".into(), "a replica".into());
    running.say(&address(3), waiting, begin + Duration::from_secs(30));
    running.end(&address(0));
    let shown = running.lines(begin, 80);
    let lines: Vec<&str> = shown.lines().skip(1).collect();
    assert_eq!(lines.len(), 12, "{shown}");
    assert_eq!(lines[0], "  object 1: creating");
    assert_eq!(lines[2], "  object 3: waiting", "a change that says something new keeps its place");
    assert_eq!(lines[3], "      a replica");
    assert_eq!(lines[11], "  and 2 more");
    let later = running.lines(begin + Duration::from_secs(75), 80);
    assert!(
        later.contains("\n  object 3: waiting (75 s)\n      a replica\n"),
        "since it began, not since it waits: {later}"
    );
    let narrow = running.lines(begin + Duration::from_secs(5), 24);
    assert!(narrow.lines().all(|line| line.chars().count() <= 24), "{narrow}");
    assert!(running.waits(&address(3), "a replica"));
    assert!(!running.waits(&address(3), "another"));
    assert!(!running.waits(&address(0), ""), "it has ended");
}
