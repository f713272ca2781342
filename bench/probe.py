"""What runs in a measured process, by the Python of Lambda; it is told and tells lines of JSON.

Nothing is imported before the subject's handler is ready but what that needs.
"""

import json
import os
import sys
import time


def _handler(spec):
    return __import__(spec["module"]).handler


class Context:
    function_name = "function"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self):
        return 29_000


def cold(spec):
    """CPU from the start to the handler, in ms; with an event, also to its answer."""
    began = time.process_time()
    handler = _handler(spec)
    result = {"init": (time.process_time() - began) * 1000}
    if spec.get("event"):
        answer = handler(spec["event"], Context())
        result |= {"first": (time.process_time() - began) * 1000, "answer": answer}
    with open("/proc/self/status") as status:  # not getrusage, which begins at what the parent had
        peak = next(line for line in status if line.startswith("VmHWM:"))
    yield result | {"peak": int(peak.split()[1]) / 1024}


def warm(spec):
    """What a call asks of AWS; then for each line the CPU of a call in us, of a batch."""
    made, clients, sizes = _stubbed(spec["items"])
    handler, event, context = _handler(spec), spec["event"], Context()
    handler(event, context)
    made.clear()
    sizes.clear()
    answer = handler(event, context)
    asked, answered = list(made), list(sizes)
    for _ in range(spec["warmup"]):
        handler(event, context)
    yield {"answer": answer, "asked": asked, "answered": answered, "clients": clients}
    for _ in sys.stdin:
        made.clear()
        sizes.clear()
        began = time.process_time()
        for _ in range(spec["calls"]):
            handler(event, context)
        yield (time.process_time() - began) / spec["calls"] * 1e6


def sampled(spec):
    """CPU in seconds by file of a start, or with items, of warm calls; what Python does is of whoever has it done."""
    import signal

    of_python = (os.path.dirname(os.__file__), "<")
    spent, last = {}, time.process_time()

    def sample(_signal, frame):
        nonlocal last
        began, last = last, time.process_time()
        while frame and frame.f_code.co_filename.startswith(of_python):
            frame = frame.f_back
        path = frame.f_code.co_filename if frame else ""
        spent[path] = spent.get(path, 0) + last - began

    def ready():
        nonlocal last
        last = time.process_time()
        signal.signal(signal.SIGPROF, sample)
        signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)

    if not spec.get("items"):
        ready()
        _handler(spec)
    else:
        _stubbed(spec["items"])
        handler, event, context = _handler(spec), spec["event"], Context()
        for _ in range(20):
            handler(event, context)
        ready()
        for _ in range(300):
            handler(event, context)
    signal.setitimer(signal.ITIMER_PROF, 0)
    yield list(spent.items())


def _stubbed(items):
    """Let botocore's HTTP session answer at once; gives requests, clients and sizes as they come."""
    import botocore.awsrequest
    import botocore.client
    import botocore.httpsession
    import canned

    aws, made, clients, sizes = canned.CannedAws(items), [], [], []
    read = {}

    def send(_session, request):
        target = request.headers.get("X-Amz-Target", b"")
        target = target.decode() if isinstance(target, bytes) else target
        path = "/" + request.url.split("/", 3)[3]
        body = request.body or b""
        made.append({"method": request.method, "path": path, "target": target, "body": _text(body)})
        content = read.get((target, body)) or aws.answer(target, path, body)
        if target.endswith(("GetItem", "Query")):
            read[target, body] = content
        sizes.append(len(content))
        response = botocore.awsrequest.AWSResponse(request.url, 200, {"x-amzn-RequestId": "1"}, None)
        response._content = content
        return response

    create = botocore.client.ClientCreator.create_client

    def create_client(creator, service_name, *args, **kwargs):
        clients.append(service_name)
        return create(creator, service_name, *args, **kwargs)

    botocore.httpsession.URLLib3Session.send = send
    botocore.client.ClientCreator.create_client = create_client
    return made, clients, sizes


def _text(body):
    return body.decode() if isinstance(body, bytes) else body


if __name__ == "__main__":
    _told = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # where the handlers log
    _spec = json.loads(sys.stdin.readline())
    for _found in {"cold": cold, "warm": warm, "sampled": sampled}[_spec["kind"]](_spec):
        print(json.dumps(_found), file=_told, flush=True)
