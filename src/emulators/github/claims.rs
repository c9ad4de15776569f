//! What the emulated GitHub claims to do, with source and test.

use crate::emulators::claims::{Claim, Emulator};

use super::route;

/// GitHub.
pub const EMULATOR: Emulator = Emulator {
    name: "GitHub",
    system: "github",
    operations: route::operations,
    claims: CLAIMS,
};

const CLAIMS: &[Claim] = &[
    Claim {
        operation: "GET /user",
        behaviour: "Without a token, or with an unknown one, every request is answered with 401.",
        source: "docs.github.com, REST API: authentication",
        test: "src/emulators/github/stories.rs::a_request_needs_a_token_that_is_known",
    },
    Claim {
        operation: "GET /user",
        behaviour: "A fault answers with its status, breaks the connection before or after the effect, or opens a wait.",
        source: "ours: a fault that stories arm",
        test: "src/emulators/github/stories.rs::faults_strike_the_requests_that_they_name",
    },
    Claim {
        operation: "GET /rate_limit",
        behaviour: "5,000 requests an hour and 900 points a minute; over it 403 with the time to come back; asking here is free.",
        source: "docs.github.com, REST API: rate limits",
        test: "src/emulators/github/stories.rs::requests_are_counted_by_the_hour_and_by_the_minute",
    },
    Claim {
        operation: "POST /app/installations/{installation_id}/access_tokens",
        behaviour: "An assertion signed with RS256, at most ten minutes long, is traded for a token of an hour.",
        source: "docs.github.com: generating a JSON Web Token for a GitHub App",
        test: "src/emulators/github/stories.rs::an_app_trades_its_signed_assertion_for_a_token_of_an_hour",
    },
    Claim {
        operation: "GET /repos/{owner}/{repo}",
        behaviour: "Owner and name in any case; what the caller cannot see is 404, what is not emulated 501.",
        source: "docs.github.com, REST API: repositories; troubleshooting",
        test: "src/emulators/github/stories.rs::what_is_not_emulated_is_501_and_what_is_not_there_is_404",
    },
    Claim {
        operation: "GET /repos/{owner}/{repo}/branches",
        behaviour: "All branches, in pages.",
        source: "docs.github.com, REST API: branches",
        test: "src/emulators/github/stories.rs::a_branch_says_where_it_stands_and_whether_it_is_protected",
    },
    Claim {
        operation: "GET /repos/{owner}/{repo}/branches/{branch}",
        behaviour: "Commit, and `protected` for classic protection.",
        source: "docs.github.com, REST API: branches",
        test: "src/emulators/github/stories.rs::a_branch_says_where_it_stands_and_whether_it_is_protected",
    },
    Claim {
        operation: "GET /repos/{owner}/{repo}/branches/{branch}",
        behaviour: "An ETag that is given back unchanged is answered with 304, which no limit counts.",
        source: "docs.github.com, REST API: best practices, conditional requests",
        test: "src/emulators/github/stories.rs::an_answer_that_is_known_is_304_and_costs_nothing",
    },
    Claim {
        operation: "GET /repos/{owner}/{repo}/rules/branches/{branch}",
        behaviour: "The active rules of rulesets; classic protection is not among them.",
        source: "docs.github.com, REST API: rules",
        test: "src/emulators/github/stories.rs::a_branch_says_where_it_stands_and_whether_it_is_protected",
    },
    Claim {
        operation: "GET /repos/{owner}/{repo}/git/ref/{ref}",
        behaviour: "Names are well-formed and new, moves go forward unless forced, protected branches stay.",
        source: "docs.github.com, REST API: git references",
        test: "src/emulators/github/stories.rs::references_are_made_moved_forward_and_deleted_but_not_protected_ones",
    },
    Claim {
        operation: "GET /repos/{owner}/{repo}/git/matching-refs/{ref}",
        behaviour: "Names are well-formed and new, moves go forward unless forced, protected branches stay.",
        source: "docs.github.com, REST API: git references",
        test: "src/emulators/github/stories.rs::references_are_made_moved_forward_and_deleted_but_not_protected_ones",
    },
    Claim {
        operation: "POST /repos/{owner}/{repo}/git/refs",
        behaviour: "Names are well-formed and new, moves go forward unless forced, protected branches stay.",
        source: "docs.github.com, REST API: git references",
        test: "src/emulators/github/stories.rs::references_are_made_moved_forward_and_deleted_but_not_protected_ones",
    },
    Claim {
        operation: "PATCH /repos/{owner}/{repo}/git/refs/{ref}",
        behaviour: "Names are well-formed and new, moves go forward unless forced, protected branches stay.",
        source: "docs.github.com, REST API: git references",
        test: "src/emulators/github/stories.rs::references_are_made_moved_forward_and_deleted_but_not_protected_ones",
    },
    Claim {
        operation: "DELETE /repos/{owner}/{repo}/git/refs/{ref}",
        behaviour: "Names are well-formed and new, moves go forward unless forced, protected branches stay.",
        source: "docs.github.com, REST API: git references",
        test: "src/emulators/github/stories.rs::references_are_made_moved_forward_and_deleted_but_not_protected_ones",
    },
    Claim {
        operation: "GET /repos/{owner}/{repo}/git/trees/{tree_sha}",
        behaviour: "One level, or all with `recursive`; a listing that is cut short says `truncated`.",
        source: "docs.github.com, REST API: git trees",
        test: "src/emulators/github/stories.rs::a_listing_is_whole_or_says_that_it_was_cut_short",
    },
    Claim {
        operation: "GET /repos/{owner}/{repo}/git/blobs/{file_sha}",
        behaviour: "Base64 in lines, by the id that Git computes.",
        source: "docs.github.com, REST API: git blobs",
        test: "src/emulators/github/stories.rs::contents_have_the_ids_that_git_gives_them",
    },
    Claim {
        operation: "GET /repos/{owner}/{repo}/git/commits/{commit_sha}",
        behaviour: "Author, committer, message, tree and parents, from which Git computes the same id.",
        source: "docs.github.com, REST API: git commits",
        test: "src/emulators/github/stories.rs::history_lists_the_commits_that_touched_a_path",
    },
    Claim {
        operation: "GET /repos/{owner}/{repo}/contents/{path}",
        behaviour: "A file with its content up to 1 MB, a folder with its entries.",
        source: "docs.github.com, REST API: repository contents",
        test: "src/emulators/github/stories.rs::a_file_comes_with_its_content_and_a_folder_with_its_entries",
    },
    Claim {
        operation: "PUT /repos/{owner}/{repo}/contents/{path}",
        behaviour: "A present file needs its content id: 422 without, 409 with another; 409 on a protected branch.",
        source: "docs.github.com, REST API: repository contents; recorded in public issue threads of 2021 (409 texts)",
        test: "src/emulators/github/stories.rs::a_file_is_written_against_the_content_that_was_read",
    },
    Claim {
        operation: "PUT /repos/{owner}/{repo}/contents/{path}",
        behaviour: "Without write access 403.",
        source: "docs.github.com, REST API: troubleshooting",
        test: "src/emulators/github/stories.rs::a_reader_may_comment_and_review_but_not_write",
    },
    Claim {
        operation: "DELETE /repos/{owner}/{repo}/contents/{path}",
        behaviour: "Deletes a file by its content id.",
        source: "docs.github.com, REST API: repository contents",
        test: "src/emulators/github/stories.rs::a_file_is_written_against_the_content_that_was_read",
    },
    Claim {
        operation: "GET /repos/{owner}/{repo}/commits",
        behaviour: "Newest first, of a branch or commit, and of a path.",
        source: "docs.github.com, REST API: commits",
        test: "src/emulators/github/stories.rs::history_lists_the_commits_that_touched_a_path",
    },
    Claim {
        operation: "GET /repos/{owner}/{repo}/commits/{ref}",
        behaviour: "A commit with its parents; an unknown one is 422.",
        source: "docs.github.com, REST API: commits",
        test: "src/emulators/github/stories.rs::history_lists_the_commits_that_touched_a_path",
    },
    Claim {
        operation: "GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls",
        behaviour: "The merged pull request that brought the commit, or the open ones that have it.",
        source: "docs.github.com, REST API: commits, pull requests associated with a commit",
        test: "src/emulators/github/stories.rs::a_merge_commit_names_both_sides_and_its_commits_name_the_pull_request",
    },
    Claim {
        operation: "GET /repos/{owner}/{repo}/commits/{ref}/check-runs",
        behaviour: "The latest check run of each name.",
        source: "docs.github.com, REST API: check runs",
        test: "src/emulators/github/stories.rs::a_check_takes_fifty_annotations_at_a_time_and_adds_them_up",
    },
    Claim {
        operation: "GET /repos/{owner}/{repo}/pulls",
        behaviour: "By state, head and base, in pages with `Link`.",
        source: "docs.github.com, REST API: pull requests; pagination",
        test: "src/emulators/github/stories.rs::lists_come_in_pages_with_links_to_the_others",
    },
    Claim {
        operation: "POST /repos/{owner}/{repo}/pulls",
        behaviour: "422 when nothing differs, when one is open already, or when a branch is unknown.",
        source: "docs.github.com, REST API: pull requests",
        test: "src/emulators/github/stories.rs::a_pull_request_is_opened_once_for_a_branch_that_differs",
    },
    Claim {
        operation: "GET /repos/{owner}/{repo}/pulls/{pull_number}",
        behaviour: "Title, text and state; what was closed is not merged; which files differ.",
        source: "docs.github.com, REST API: pull requests",
        test: "src/emulators/github/stories.rs::a_pull_request_is_opened_once_for_a_branch_that_differs",
    },
    Claim {
        operation: "PATCH /repos/{owner}/{repo}/pulls/{pull_number}",
        behaviour: "Title, text and state; what was closed is not merged; which files differ.",
        source: "docs.github.com, REST API: pull requests",
        test: "src/emulators/github/stories.rs::a_pull_request_is_opened_once_for_a_branch_that_differs",
    },
    Claim {
        operation: "GET /repos/{owner}/{repo}/pulls/{pull_number}/files",
        behaviour: "Title, text and state; what was closed is not merged; which files differ.",
        source: "docs.github.com, REST API: pull requests",
        test: "src/emulators/github/stories.rs::a_pull_request_is_opened_once_for_a_branch_that_differs",
    },
    Claim {
        operation: "PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge",
        behaviour: "405 without the approvals that the branch asks for, 409 when the head has moved.",
        source: "docs.github.com, REST API: pull requests; recorded in a public issue thread of 2018 (405 text); docs.github.com: about code owners",
        test: "src/emulators/github/stories.rs::a_protected_branch_takes_only_what_its_code_owners_approved",
    },
    Claim {
        operation: "PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge",
        behaviour: "By a merge commit with two parents, or squashed with the number in the subject.",
        source: "docs.github.com: about merge methods",
        test: "src/emulators/github/stories.rs::a_merge_commit_names_both_sides_and_its_commits_name_the_pull_request",
    },
    Claim {
        operation: "GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews",
        behaviour: "Oldest first.",
        source: "docs.github.com, REST API: pull request reviews",
        test: "src/emulators/github/stories.rs::a_protected_branch_takes_only_what_its_code_owners_approved",
    },
    Claim {
        operation: "POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews",
        behaviour: "Nobody approves their own; an approval without write access counts for nothing.",
        source: "docs.github.com, REST API: pull request reviews; docs.github.com: about protected branches",
        test: "src/emulators/github/stories.rs::a_reader_may_comment_and_review_but_not_write",
    },
    Claim {
        operation: "GET /repos/{owner}/{repo}/issues/{issue_number}/comments",
        behaviour: "At most 65,536 characters; one changes one's own, and with write access everybody's.",
        source: "docs.github.com, REST API: issue comments",
        test: "src/emulators/github/stories.rs::comments_are_kept_by_those_who_wrote_them",
    },
    Claim {
        operation: "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
        behaviour: "At most 65,536 characters; one changes one's own, and with write access everybody's.",
        source: "docs.github.com, REST API: issue comments",
        test: "src/emulators/github/stories.rs::comments_are_kept_by_those_who_wrote_them",
    },
    Claim {
        operation: "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}",
        behaviour: "At most 65,536 characters; one changes one's own, and with write access everybody's.",
        source: "docs.github.com, REST API: issue comments",
        test: "src/emulators/github/stories.rs::comments_are_kept_by_those_who_wrote_them",
    },
    Claim {
        operation: "DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}",
        behaviour: "At most 65,536 characters; one changes one's own, and with write access everybody's.",
        source: "docs.github.com, REST API: issue comments",
        test: "src/emulators/github/stories.rs::comments_are_kept_by_those_who_wrote_them",
    },
    Claim {
        operation: "POST /repos/{owner}/{repo}/check-runs",
        behaviour: "At most 50 annotations in a request, and updates add to them; a malformed one is 422.",
        source: "docs.github.com, REST API: check runs",
        test: "src/emulators/github/stories.rs::a_check_takes_fifty_annotations_at_a_time_and_adds_them_up",
    },
    Claim {
        operation: "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}",
        behaviour: "At most 50 annotations in a request, and updates add to them; a malformed one is 422.",
        source: "docs.github.com, REST API: check runs",
        test: "src/emulators/github/stories.rs::a_check_takes_fifty_annotations_at_a_time_and_adds_them_up",
    },
    Claim {
        operation: "GET /repos/{owner}/{repo}/check-runs/{check_run_id}",
        behaviour: "At most 50 annotations in a request, and updates add to them; a malformed one is 422.",
        source: "docs.github.com, REST API: check runs",
        test: "src/emulators/github/stories.rs::a_check_takes_fifty_annotations_at_a_time_and_adds_them_up",
    },
];
