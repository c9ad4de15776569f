"""boto3's SQS client: queues, messages, batches, visibility, dead letters, and a long poll that really waits."""

import hashlib
import json
import threading
import time

from aws_clients import HOME, READY, REGION, client, refused, run

sqs = client("sqs")


def _queue(name, **attributes):
    return sqs.create_queue(QueueName=name, Attributes={key: str(value) for key, value in attributes.items()})["QueueUrl"]


def _receive(url, **more):
    arguments = {"MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["All"], "MessageAttributeNames": ["All"]}
    arguments.update(more)
    return sqs.receive_message(QueueUrl=url, **arguments).get("Messages", [])


def _digest(attributes):
    """The digest as the SQS developer guide describes it."""
    digest = hashlib.md5()
    for name in sorted(attributes):
        value = attributes[name]
        for part in (name.encode(), value["DataType"].encode()):
            digest.update(len(part).to_bytes(4, "big") + part)
        is_binary = "BinaryValue" in value
        content = value["BinaryValue"] if is_binary else value["StringValue"].encode()
        digest.update((b"\x02" if is_binary else b"\x01") + len(content).to_bytes(4, "big") + content)
    return digest.hexdigest()


def a_message_goes_in_comes_out_and_is_deleted():
    url = _queue("simple")
    attributes = {
        "kind": {"DataType": "String", "StringValue": "test"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
    }
    sent = sqs.send_message(QueueUrl=url, MessageBody="hello", MessageAttributes=attributes)
    assert sent["MD5OfMessageBody"] == hashlib.md5(b"hello").hexdigest()
    assert sent["MD5OfMessageAttributes"] == _digest(attributes)
    (found,) = _receive(url)
    assert found["Body"] == "hello" and found["MessageId"] == sent["MessageId"]
    assert found["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert found["MessageAttributes"]["raw"]["BinaryValue"] == b"\x00\x01"
    assert found["Attributes"]["ApproximateReceiveCount"] == "1"
    assert _receive(url) == []
    sqs.delete_message(QueueUrl=url, ReceiptHandle=found["ReceiptHandle"])


def queues_are_found_listed_and_described():
    url = _queue("described", VisibilityTimeout=12)
    assert sqs.get_queue_url(QueueName="described")["QueueUrl"] == url
    assert url == f"{READY['aws']}/{HOME}/described"
    pages = sqs.get_paginator("list_queues").paginate(QueueNamePrefix="desc", PaginationConfig={"PageSize": 1})
    assert [found for page in pages for found in page.get("QueueUrls", [])] == [url]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"ReceiveMessageWaitTimeSeconds": "1"})
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (found["VisibilityTimeout"], found["ReceiveMessageWaitTimeSeconds"]) == ("12", "1")
    assert found["QueueArn"] == f"arn:aws:sqs:{REGION}:{HOME}:described"
    refused("AWS.SimpleQueueService.NonExistentQueue", sqs.get_queue_url, QueueName="none")
    try:
        sqs.get_queue_url(QueueName="none")
    except sqs.exceptions.QueueDoesNotExist:
        pass
    refused("QueueAlreadyExists", sqs.create_queue, QueueName="described", Attributes={"VisibilityTimeout": "13"})
    refused("InvalidAttributeValue", sqs.set_queue_attributes, QueueUrl=url, Attributes={"VisibilityTimeout": "-1"})
    refused("InvalidAttributeName", sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["Colour"])


def visibility_is_changed_and_ends():
    url = _queue("visibility", VisibilityTimeout=30)
    sqs.send_message(QueueUrl=url, MessageBody="a")
    (found,) = _receive(url)
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=found["ReceiptHandle"], VisibilityTimeout=0)
    (again,) = _receive(url, VisibilityTimeout=1)
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    time.sleep(1.2)
    (third,) = _receive(url)
    refused("InvalidParameterValue", sqs.change_message_visibility, QueueUrl=url,
            ReceiptHandle=third["ReceiptHandle"], VisibilityTimeout=43201)
    refused("ReceiptHandleIsInvalid", sqs.delete_message, QueueUrl=url, ReceiptHandle="nonsense")


def a_long_poll_waits_for_a_message_or_its_time():
    url = _queue("long")
    began = time.monotonic()
    assert _receive(url, WaitTimeSeconds=1) == []
    assert 0.9 < time.monotonic() - began < 3
    later = threading.Timer(0.5, lambda: client("sqs").send_message(QueueUrl=url, MessageBody="late"))
    later.start()
    began = time.monotonic()
    (found,) = _receive(url, WaitTimeSeconds=20)
    assert found["Body"] == "late" and 0.3 < time.monotonic() - began < 5


def what_nobody_can_process_goes_to_the_dead_letter_queue():
    dead = _queue("dead")
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "2"})
    url = _queue("source", RedrivePolicy=policy)
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    for _ in range(2):
        (found,) = _receive(url, VisibilityTimeout=0)
    assert _receive(url) == []
    (found,) = _receive(dead)
    assert found["Body"] == "poison"
    assert found["Attributes"]["DeadLetterQueueSourceArn"].endswith(":source")
    pages = sqs.get_paginator("list_dead_letter_source_queues").paginate(QueueUrl=dead)
    assert [source for page in pages for source in page.get("queueUrls", [])] == [url]


def batches_are_checked_entry_by_entry():
    url = _queue("batches")
    entries = [{"Id": str(n), "MessageBody": f"m{n}"} for n in range(10)]
    sent = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert len(sent["Successful"]) == 10 and not sent.get("Failed")
    found = _receive(url)
    assert len(found) == 10
    handles = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(found)]
    handles[9]["ReceiptHandle"] = "nonsense"
    changed = sqs.change_message_visibility_batch(QueueUrl=url, Entries=[{**h, "VisibilityTimeout": 60} for h in handles])
    assert (len(changed["Successful"]), changed["Failed"][0]["Code"]) == (9, "ReceiptHandleIsInvalid")
    deleted = sqs.delete_message_batch(QueueUrl=url, Entries=handles)
    assert (len(deleted["Successful"]), deleted["Failed"][0]["Id"]) == (9, "9")
    prefix = "AWS.SimpleQueueService."
    for entries, code in (
        ([], "EmptyBatchRequest"),
        ([{"Id": str(n), "MessageBody": "x"} for n in range(11)], "TooManyEntriesInBatchRequest"),
        ([{"Id": "a", "MessageBody": "x"}, {"Id": "a", "MessageBody": "y"}], "BatchEntryIdsNotDistinct"),
        ([{"Id": "a b", "MessageBody": "x"}], "InvalidBatchEntryId"),
        ([{"Id": "a", "MessageBody": "x" * 600_000}, {"Id": "b", "MessageBody": "x" * 600_000}], "BatchRequestTooLong"),
    ):
        refused(prefix + code, sqs.send_message_batch, QueueUrl=url, Entries=entries)


def a_message_has_at_most_a_mebibyte():
    url = _queue("large")
    sqs.send_message(QueueUrl=url, MessageBody="x" * 1_048_576)
    refused("InvalidParameterValue", sqs.send_message, QueueUrl=url, MessageBody="x" * 1_048_577)
    refused("InvalidMessageContents", sqs.send_message, QueueUrl=url, MessageBody="a\u0001b")


def a_queue_is_purged_and_deleted():
    url = _queue("purged")
    sqs.send_message(QueueUrl=url, MessageBody="a")
    sqs.purge_queue(QueueUrl=url)
    assert _receive(url) == []
    refused("AWS.SimpleQueueService.PurgeQueueInProgress", sqs.purge_queue, QueueUrl=url)
    sqs.delete_queue(QueueUrl=url)
    refused("AWS.SimpleQueueService.NonExistentQueue", sqs.send_message, QueueUrl=url, MessageBody="a")
    refused("AWS.SimpleQueueService.QueueDeletedRecently", sqs.create_queue, QueueName="purged")


def a_finding_that_is_updated_comes_to_the_queue_of_events():
    hub = client("securityhub")
    finding = hub.get_findings(MaxResults=1)["Findings"][0]
    identifier = {"Id": finding["Id"], "ProductArn": finding["ProductArn"]}
    url = sqs.get_queue_url(QueueName="asaf-events")["QueueUrl"]
    assert url == READY["queue"]
    hub.batch_update_findings(FindingIdentifiers=[identifier], Note={"Text": "n", "UpdatedBy": "boto3"})
    (found,) = _receive(url, WaitTimeSeconds=2)
    event = json.loads(found["Body"])
    assert event["detail-type"] == "Security Hub Findings - Imported" and event["source"] == "aws.securityhub"
    assert event["resources"] == [f"{finding['ProductArn']}/{finding['Id']}"]
    assert event["detail"]["findings"][0]["Note"]["Text"] == "n"


def what_is_not_emulated_is_refused_with_a_sentence():
    error = refused("NotImplemented", sqs.list_queue_tags, QueueUrl=_queue("tags"))
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    refused("AWS.SimpleQueueService.UnsupportedOperation", sqs.create_queue, QueueName="q.fifo",
            Attributes={"FifoQueue": "true"})


if __name__ == "__main__":
    run(globals())
