//! Files in three steps: an address, the bytes, the end of the upload (docs.slack.dev, "Working with files").

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::{Outcome, plain, refused};
use super::{Call, File, Slack};
use crate::emulators::{Request, Response};

/// The longest words for a picture (docs.slack.dev, files.getUploadURLExternal: `alt_txt_too_large`).
const LONGEST_ALT: usize = 1_000;

impl Slack {
    pub(super) fn upload_url(&mut self, call: &Call) -> Outcome {
        let arguments = &call.arguments;
        let length = arguments.number("length").filter(|length| *length > 0);
        let (Some(name), Some(length)) = (arguments.text("filename"), length) else {
            return Err(refused("missing_argument"));
        };
        let alt_text = arguments.text("alt_txt").unwrap_or_default().to_owned();
        if alt_text.chars().count() > LONGEST_ALT {
            return Err(refused("alt_txt_too_large"));
        }
        let id = format!("F0EMUL{:05}", self.next_file);
        self.next_file += 1;
        let file = File {
            id: id.clone(),
            name: name.to_owned(),
            alt_text,
            length: usize::try_from(length).unwrap_or(usize::MAX),
            bytes: None,
            completed_at: None,
        };
        self.files.insert(id.clone(), file);
        let url = format!("{}/upload/v1/{id}", call.base);
        Ok(json!({ "ok": true, "upload_url": url, "file_id": id }))
    }

    /// The address is the credential. Raw bytes, or a form with one file.
    pub(super) fn upload(&mut self, request: &Request) -> Response {
        let id = request.uri().path().rsplit('/').next().unwrap_or_default();
        let bytes = match part(request) {
            Some(bytes) => bytes,
            None => return plain(400, "no file"),
        };
        match self.files.get_mut(id) {
            Some(file) if file.length == bytes.len() => {
                let answer = format!("OK - {}", bytes.len());
                file.bytes = Some(bytes);
                plain(200, &answer)
            }
            Some(_) => plain(400, "the size is not the announced one"),
            None => plain(404, "no such upload"),
        }
    }

    pub(super) fn complete_upload(&mut self, call: &Call) -> Outcome {
        let files = match call.arguments.structure("files") {
            Ok(Some(Value::Array(files))) if !files.is_empty() => files,
            _ => return Err(refused("missing_argument")),
        };
        let mut done = Vec::new();
        for file in &files {
            let id = file["id"].as_str().unwrap_or_default();
            let known = self.files.get_mut(id).filter(|file| file.bytes.is_some());
            let known = known.ok_or_else(|| refused("file_not_found"))?;
            known.completed_at.get_or_insert(call.now);
            let title = file["title"].as_str().unwrap_or(&known.name);
            done.push(json!({ "id": id, "title": title }));
        }
        if let Some(channel) = call.arguments.text("channel_id") {
            let open = self.channels.get(channel);
            let open = open.ok_or_else(|| refused("channel_not_found"))?;
            if !open.has_bot {
                return Err(refused("not_in_channel"));
            }
            let shared = json!({ "type": "image", "slack_file": { "id": done[0]["id"] }, "alt_text": "file" });
            let message = super::Message {
                ts: self.next_ts(call.now),
                thread_ts: call.arguments.text("thread_ts").map(str::to_owned),
                text: call
                    .arguments
                    .text("initial_comment")
                    .unwrap_or_default()
                    .to_owned(),
                blocks: vec![shared],
                metadata: None,
                updates: 0,
                at: call.now,
            };
            if let Some(channel) = self.channels.get_mut(channel) {
                channel.messages.push(message);
            }
        }
        Ok(json!({ "ok": true, "files": done }))
    }

    pub(super) fn file_info(&self, call: &Call) -> Outcome {
        let id = call.arguments.text("file").unwrap_or_default();
        let file = self
            .files
            .get(id)
            .ok_or_else(|| refused("file_not_found"))?;
        Ok(
            json!({ "ok": true, "comments": [], "response_metadata": { "next_cursor": "" }, "file": {
            "id": file.id, "name": file.name, "title": file.name, "size": file.length, "alt_txt": file.alt_text,
            "mimetype": if self.can_show(id, call.now) { "image/png" } else { "" },
        } }),
        )
    }

    /// A file can be shown some time after its upload was completed (slackapi/python-slack-sdk issue 1521).
    pub(super) fn can_show(&self, id: &str, now: Timestamp) -> bool {
        let completed = self.files.get(id).and_then(|file| file.completed_at);
        completed.is_some_and(|at| now >= at + self.file_delay)
    }
}

/// The bytes of the request, or of the one file in a multipart form.
fn part(request: &Request) -> Option<Bytes> {
    let content_type = request.headers().get("content-type");
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let boundary = content_type
        .filter(|kind| kind.starts_with("multipart/form-data"))
        .and_then(|kind| kind.split_once("boundary="));
    let Some((_, boundary)) = boundary else {
        return Some(request.body().clone());
    };
    let body = request.body();
    let find = |needle: &[u8], from: usize| {
        body.get(from..)?
            .windows(needle.len())
            .position(|window| window == needle)
            .map(|at| at + from)
    };
    let start = find(b"\r\n\r\n", 0)? + 4;
    let end = find(
        format!("\r\n--{}", boundary.trim_matches('"')).as_bytes(),
        start,
    )?;
    Some(body.slice(start..end))
}
