use super::*;

fn address(number: usize) -> Address {
    format!("manifest.m[\"{number}\"]").parse().expect("an address")
}

#[test]
fn the_longest_running_are_shown_and_the_rest_is_counted() {
    let mut running = Running::default();
    for number in 0..13 {
        running.say(&address(number), format!("object {number}: creating"));
    }
    running.say(&address(3), "object 3: waiting".into());
    running.end(&address(0));
    let shown = running.to_string();
    let lines: Vec<&str> = shown.lines().skip(1).collect();
    assert_eq!(lines.len(), 11, "{shown}");
    assert_eq!(lines[0], "  object 1: creating");
    assert_eq!(lines[2], "  object 3: waiting", "a change that says something new keeps its place");
    assert_eq!(lines[10], "  and 2 more");
    assert!(running.says(&address(3), "object 3: waiting"));
    assert!(!running.says(&address(0), "object 0: creating"), "it has ended");
}
