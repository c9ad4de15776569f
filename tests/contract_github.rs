//! PyGithub, unpatched, against the emulated GitHub.

mod served;

use served::Served;

#[test]
fn pygithub_finds_what_it_expects() {
    let small = ["--accounts", "1", "--findings", "0", "--quotas", "off"];
    Served::start(&small).run("github_pygithub.py", &["github"]);
}
