# SPDX-License-Identifier: Apache-2.0
"""Clients that each stream one completion after the other, and what they saw."""
import http.client
import json
import random
import threading
import time

import synthetic

TIMEOUT_S = 900


def prompt(tokens, number):
    """As many letters, a token each; every number another, from its first letter on."""
    letters = random.Random(number)
    return "".join(letters.choice(synthetic.LETTERS) for _ in range(tokens - 2))


def stream(port, body):
    """Times since the request was sent at which text came, and the tokens the server counted."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    began = time.perf_counter()
    connection.request("POST", "/v1/completions", json.dumps(body),
                       {"content-type": "application/json"})
    response = connection.getresponse()
    if response.status != 200:
        raise RuntimeError(f"status {response.status}: {response.read()[:300]!r}")
    times, tokens = [], 0
    for line in response:
        if not line.startswith(b"data: {"):
            continue
        document = json.loads(line[6:])
        if document.get("choices") and document["choices"][0].get("text"):
            times.append(time.perf_counter() - began)
        usage = document.get("usage") or {}
        tokens = usage.get("completion_tokens", tokens)
    connection.close()
    return times, tokens


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def run(port, model, clients, requests, prompt_tokens, answer_tokens, seed):
    """Tokens a second of all clients, times to the first and gaps between them, in seconds."""
    seen, failures = [], []
    body = {"model": model, "max_tokens": answer_tokens, "temperature": 0, "stream": True,
            "ignore_eos": True, "stream_options": {"include_usage": True}}

    def client(index):
        try:
            for number in range(requests):
                own = prompt(prompt_tokens, seed + index * 1000 + number)
                seen.append(stream(port, {**body, "prompt": own}))
        except (OSError, RuntimeError, http.client.HTTPException) as error:
            failures.append(str(error))

    threads = [threading.Thread(target=client, args=(index,)) for index in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    if failures or not all(times for times, _ in seen):
        raise RuntimeError(failures[0] if failures else "an answer without text")
    first = [times[0] for times, _ in seen]
    gaps = [later - earlier for times, _ in seen for earlier, later in zip(times, times[1:])]
    return {"tokens_per_s": sum(tokens for _, tokens in seen) / seconds,
            "first_p50_s": percentile(first, 0.5), "first_p99_s": percentile(first, 0.99),
            "gap_p50_s": percentile(gaps, 0.5), "gap_max_s": max(gaps)}
