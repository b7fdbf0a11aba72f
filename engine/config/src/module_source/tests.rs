use super::*;

#[test]
fn sources_name_repository_directory_and_ref() {
    for (text, url, directory, reference) in [
        (
            "git::https://git.example.com/mods.git//sub/dir?ref=v1.2.3",
            "https://git.example.com/mods.git",
            "sub/dir",
            "v1.2.3",
        ),
        ("git::https://git.example.com/mods?ref=main", "https://git.example.com/mods", ".", "main"),
        ("https://git.example.com/mods.git//a?ref=x", "https://git.example.com/mods.git", "a", "x"),
        (
            "git::ssh://git@git.example.com/mods.git?ref=feature/x",
            "ssh://git@git.example.com/mods.git",
            ".",
            "feature/x",
        ),
        ("git@git.example.com:team/mods.git//a/b/?ref=v1", "git@git.example.com:team/mods.git", "a/b", "v1"),
        ("file:///srv/mods//a?ref=v1", "file:///srv/mods", "a", "v1"),
    ] {
        let found = ModuleSource::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
        assert_eq!(
            (&*found.url, &*found.directory, &*found.reference),
            (url, directory, reference),
            "{text}"
        );
        assert_eq!(ModuleSource::parse(&found.to_string()), Ok(found), "{text}");
    }
}

#[test]
fn other_sources_are_refused() {
    for (text, want) in [
        ("", "the source is no Git repository"),
        ("./modules/a", "a module of this repository needs no source"),
        ("../a", "a module of this repository needs no source"),
        ("/srv/mods", "a module of this repository needs no source"),
        ("hashicorp/consul/aws", "the source is no Git repository"),
        ("https://git.example.com/mods?ref=v1", "the source does not say that it is a Git repository"),
        ("git::http://git.example.com/mods.git?ref=v1", "a module cannot be fetched by \"http\""),
        ("git::ext::sh -c id?ref=v1", "the source is no URL"),
        ("git::--upload-pack=x?ref=v1", "the source is no URL"),
        ("git::https://git.example.com/mods.git", "the source is not pinned"),
        ("git::https://git.example.com/mods.git?depth=1&ref=v1", "a source takes no argument but ref"),
        ("git::https://git.example.com/mods.git?ref=", "ref is no tag, branch or commit"),
        ("git::https://git.example.com/mods.git?ref=-x", "ref is no tag, branch or commit"),
        ("git::https://git.example.com/mods.git?ref=a..b", "ref is no tag, branch or commit"),
        ("git::https://git.example.com/mods.git?ref=a:b", "ref is no tag, branch or commit"),
        ("git::https://git.example.com/mods.git//../x?ref=v1", "the directory leads out of the repository"),
        ("git::https://?ref=v1", "the source is no URL"),
    ] {
        let fault = ModuleSource::parse(text).unwrap_err();
        assert!(fault.summary.starts_with(want) && !fault.holds_credentials, "{text}: {fault:?}");
    }
    for text in [
        "git::https://token@git.example.com/mods.git?ref=v1",
        "git::https://user:token@git.example.com/mods.git?ref=v1",
        "git::ssh://user:token@git.example.com/mods.git?ref=v1",
        "git::https://git.example.com/mods.git?sshkey=token&ref=v1",
    ] {
        let fault = ModuleSource::parse(text).unwrap_err();
        assert!(fault.holds_credentials && !fault.summary.contains("token"), "{text}: {fault:?}");
    }
}
