"""The program of a measured process, run by Lambda's Python; it reads and writes lines of JSON.

Until the subject's handler is ready, it imports nothing that the handler does not need.
"""

import json
import os
import sys
import time


def _load_handler(spec):
    return __import__(spec["module"]).handler


class Context:
    function_name = "function"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self):
        return 29_000


def measure_cold(spec):
    """Measure the CPU from the start to the handler, in ms; with an event, also to its response."""
    start = time.process_time()
    handler = _load_handler(spec)
    result = {"init": (time.process_time() - start) * 1000}
    if spec.get("event"):
        response = handler(spec["event"], Context())
        result |= {"first": (time.process_time() - start) * 1000, "response": response}
    with open("/proc/self/status") as status:  # not getrusage, which starts at the parent's peak
        peak = next(line for line in status if line.startswith("VmHWM:"))
    yield result | {"peak": int(peak.split()[1]) / 1024}


def measure_warm(spec):
    """Yield the AWS requests of a call; then, for each input line, the CPU of a call in us, over a batch."""
    requests, clients, sizes = _stub_http(spec["items"])
    handler, event, context = _load_handler(spec), spec["event"], Context()
    handler(event, context)
    requests.clear()
    sizes.clear()
    response = handler(event, context)
    call_requests, call_sizes = list(requests), list(sizes)
    for _ in range(spec["warmup"]):
        handler(event, context)
    yield {"response": response, "requests": call_requests, "response_sizes": call_sizes, "clients": clients}
    for _ in sys.stdin:
        requests.clear()
        sizes.clear()
        start = time.process_time()
        for _ in range(spec["calls"]):
            handler(event, context)
        yield (time.process_time() - start) / spec["calls"] * 1e6


def sample_cpu(spec):
    """Sample the CPU in seconds by file, of a start or, with items, of warm calls; see `cpu_shares` for the rule."""
    import signal

    standard_library = (os.path.dirname(os.__file__), "<")
    spent, last = {}, time.process_time()

    def record_sample(_signal, frame):
        nonlocal last
        previous, last = last, time.process_time()
        while frame and frame.f_code.co_filename.startswith(standard_library):
            frame = frame.f_back
        path = frame.f_code.co_filename if frame else ""
        spent[path] = spent.get(path, 0) + last - previous

    def start_sampling():
        nonlocal last
        last = time.process_time()
        signal.signal(signal.SIGPROF, record_sample)
        signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)

    if not spec.get("items"):
        start_sampling()
        _load_handler(spec)
    else:
        _stub_http(spec["items"])
        handler, event, context = _load_handler(spec), spec["event"], Context()
        for _ in range(20):
            handler(event, context)
        start_sampling()
        for _ in range(300):
            handler(event, context)
    signal.setitimer(signal.ITIMER_PROF, 0)
    yield list(spent.items())


def _stub_http(items):
    """Let botocore's HTTP session respond at once; return the growing lists of requests, clients and sizes."""
    import botocore.awsrequest
    import botocore.client
    import botocore.httpsession
    import canned

    aws, requests, clients, sizes = canned.CannedAws(items), [], [], []
    cached_reads = {}

    def send(_session, request):
        target = request.headers.get("X-Amz-Target", b"")
        target = target.decode() if isinstance(target, bytes) else target
        path = "/" + request.url.split("/", 3)[3]
        body = request.body or b""
        requests.append(
            {"method": request.method, "path": path, "target": target, "body": _decode_body(body)}
        )
        content = cached_reads.get((target, body)) or aws.respond(target, path, body)
        if target.endswith(("GetItem", "Query")):
            cached_reads[target, body] = content
        sizes.append(len(content))
        response = botocore.awsrequest.AWSResponse(request.url, 200, {"x-amzn-RequestId": "1"}, None)
        response._content = content
        return response

    original = botocore.client.ClientCreator.create_client

    def create_client(creator, service_name, *args, **kwargs):
        clients.append(service_name)
        return original(creator, service_name, *args, **kwargs)

    botocore.httpsession.URLLib3Session.send = send
    botocore.client.ClientCreator.create_client = create_client
    return requests, clients, sizes


def _decode_body(body):
    return body.decode() if isinstance(body, bytes) else body


if __name__ == "__main__":
    _output = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # where the handlers log
    _spec = json.loads(sys.stdin.readline())
    for _result in {"cold": measure_cold, "warm": measure_warm, "sampled": sample_cpu}[_spec["kind"]](_spec):
        print(json.dumps(_result), file=_output, flush=True)
