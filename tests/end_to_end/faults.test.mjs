// SPDX-License-Identifier: Apache-2.0
// What an upstream may do wrong, byte by byte, and what the client then sees.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {connect} from 'node:net';
import test from 'node:test';
import {gzipSync} from 'node:zlib';
import {flood, head, raw_upstream, whole} from './raw_upstream.mjs';
import {http, serve, slow} from './server.mjs';
import {chunk, completion, event, until} from './upstream.mjs';

// One loop: a kept connection is the next request's.
const deployment = (url, first_byte_ms = 800) => `${http}limits: {loops: 1}
backends:
  up:
    uses: openai
    settings:
      base_url: "${url}"
      timeouts: {first_byte_ms: ${first_byte_ms * slow}, idle_ms: ${500 * slow}}
models: {fast: {routes: [{backend: up, model: upstream-model}]}}
`;
const document = JSON.stringify(completion('hi'));
const stream_head = head(['content-type: text/event-stream', 'connection: close']);
const closing = event(chunk({}, 'stop')) + event('[DONE]');

function post(server, body, path = 'chat/completions', options = {}) {
  return fetch(`${server.url}/v1/${path}`, {
    method: 'POST', headers: {'content-type': 'application/json'},
    body: typeof body === 'string' ? body : JSON.stringify(body), ...options});
}
const ask = (server, stream) =>
  post(server, {model: 'fast', messages: [{role: 'user', content: 'x'}], stream});
const speak = (server, options) =>
  post(server, {model: 'fast', input: 'x', voice: 'alloy'}, 'audio/speech', options);

// All that comes, and whether it ended as it should.
async function read(answer) {
  let text = '';
  const decoder = new TextDecoder();
  try {
    for await (const part of answer.body) text += decoder.decode(part, {stream: true});
  } catch {
    return {text, broken: true};
  }
  return {text, broken: false};
}

const resident_mib = (server) =>
  Number(/VmRSS:\s+(\d+)/.exec(
    readFileSync(`/proc/${server.process.pid}/status`, 'utf8'))[1]) / 1024;

// Answers that cannot be used, whole or as a stream: [name, what is sent, status, words].
const ending = (bytes) => (socket) => socket.end(bytes);
const unusable = [
  ['a head without end', (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    flood(socket, Buffer.from(`x-a: ${'b'.repeat(1000)}\r\n`));
  }, 502, /head is longer than 64 KiB/],
  ['a status line without end', (socket) => flood(socket, Buffer.alloc(65536, 'b')), 502, /HTTP/],
  ['interim responses without end',
    (socket) => flood(socket, Buffer.from('HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n')),
    502, /HTTP/],
  ['another protocol', ending(head(['upgrade: x', 'connection: upgrade'], '101 Switching')), 502,
    /HTTP/],
  ['no head', ending(document), 502, /HTTP/],
  ['two lengths', ending(whole(document, ['content-length: 5'])), 502, /HTTP/],
  ['a length and chunks', ending(whole(document, ['transfer-encoding: chunked'])), 502, /HTTP/],
  ['nothing', (socket) => socket.end(), 502, /without an answer/],
  ['no content', ending(head([], '204 No Content')), 502, /not JSON|before it was complete/],
  ['a redirect', ending(whole('', ['location: http://10.0.0.5/key'], '302 Found')), 502,
    /redirect/],
  ['not modified', ending(head([], '304 Not Modified')), 502, /provider/],
  ['HTML', ending(head(['content-type: text/html', 'connection: close']) + '<html>'), 502,
    /not JSON|before it was complete/],
  ['less than was announced',
    ending(head(['content-type: application/json', 'content-length: 900']) + document), 502,
    /before it was complete/],
  ['a document in gzip', ending(whole(gzipSync(document), ['content-encoding: gzip'])), 502,
    /compressed/],
  ['a document without end', (socket) => {
    socket.write(head(['content-type: application/json']) + '{"a":"');
    flood(socket, Buffer.alloc(65536, 'b'));
  }, 502, /larger than 64 MiB/],
  ['an event without end', (socket) => {
    socket.write(stream_head + 'data: ');
    flood(socket, Buffer.alloc(65536, 'b'));
  }, 502, /larger than (64|1) MiB/],
  ['a failure without end', (socket) => {
    socket.write(head(['content-type: application/json'], '500 No') + '{"error":"');
    flood(socket, Buffer.alloc(65536, 'b'));
  }, 502, /status 500/],
  ['no head in time', () => {}, 504, /no response head within/],
  ['a head byte by byte', (socket) => {
    const timer = setInterval(() => socket.write('H'), 20);
    socket.on('close', () => clearInterval(timer));
    socket.write('HTTP/1.1 200 OK\r\nx-a: ');
  }, 504, /no response head within/],
  ['half a document in time',
    (socket) => socket.write(head(['content-type: application/json', 'content-length: 900']) + '{'),
    504, /no more of its response within/],
];

test('an answer that cannot be used is told, and its connection ends', async (context) => {
  const up = await raw_upstream(context, () => {});
  const server = await serve(context, deployment(up.url));
  for (const [name, answer, status, words] of unusable) {
    for (const stream of [false, true]) {
      await context.test(`${name}, ${stream ? 'streamed' : 'whole'}`, async () => {
        up.answer = answer;
        const got = await ask(server, stream);
        const {text, broken} = await read(got);
        assert.equal(got.status, status, text);
        assert.equal(broken, false);
        assert.match(JSON.parse(text).error.message, words);
        assert.doesNotMatch(text, /127\.0\.0\.1|10\.0\.0\.5/);
        await until(() => up.closed === up.connections, 10000 * slow);
      });
    }
  }
  if (slow === 1) assert.ok(resident_mib(server) < 256, `${resident_mib(server)} MiB`);
  up.answer = ending(whole(document));
  assert.equal((await ask(server, false)).status, 200);
});

test('sound in gzip is not passed on as sound', async (context) => {
  const up = await raw_upstream(context, ending(Buffer.concat([
    Buffer.from(head(['content-type: audio/wav', 'content-encoding: gzip', 'connection: close'])),
    gzipSync('RIFF')])));
  const server = await serve(context, deployment(up.url));
  const answer = await speak(server);
  assert.equal(answer.status, 502);
  assert.match(up.requests[0].head, /accept-encoding: identity/i);
});

test('what is odd and right passes', async (context) => {
  const up = await raw_upstream(context, () => {});
  const server = await serve(context, deployment(up.url));
  const odd = document.replace('{', '{"x_unknown": 12345678901234567890, "y": 1.0,');
  for (const [name, answer] of [
    ['an unknown field', ending(whole(odd))],
    ['HTTP/1.0', ending(`HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n${odd}`)],
    ['interim responses', ending('HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n'.repeat(3) +
      whole(odd).toString())],
  ]) {
    await context.test(name, async () => {
      up.answer = answer;
      const {text, broken} = await read(await ask(server, false));
      assert.equal(text, odd);
      assert.equal(broken, false);
    });
  }
  await context.test('a stream byte by byte', async () => {
    const bytes = Buffer.from(stream_head + event(chunk({content: '北京😀'})) + closing);
    up.answer = (socket) => {
      socket.setNoDelay(true);
      let at = 0;
      const go_on = () => {
        if (at === bytes.length) return socket.end();
        socket.write(bytes.subarray(at, ++at), () => setImmediate(go_on));
      };
      go_on();
    };
    const {text, broken} = await read(await ask(server, true));
    assert.ok(text.includes('北京😀') && text.endsWith('data: [DONE]\n\n'), text);
    assert.equal(broken, false);
  });
});

// A stream that has begun: [name, how it goes on after 40 events, the words of its error].
for (const [name, go_on, words] of [
  ['is cut', (socket) => socket.destroy(), /before it was complete/],
  ['is reset', (socket) => socket.resetAndDestroy(), /before it was complete/],
  ['falls silent', () => {}, /no more of its response within/],
  ['falls silent and goes', (socket) => setTimeout(() => socket.end(), 200 * slow),
    /before it was complete/],
]) {
  test(`a stream that ${name} never looks finished`, async (context) => {
    const up = await raw_upstream(context, (socket) => {
      socket.write(stream_head + event(chunk({content: 'x'})).repeat(40), () => go_on(socket));
    });
    const server = await serve(context, deployment(up.url));
    const {text, broken} = await read(await ask(server, true));
    const documents = text.split('\n').filter((line) => line.startsWith('data: '));
    const error = name === 'is reset' ? documents.at(-1) : documents[40];
    assert.match(error, /^data: \{"error":/);
    assert.match(error, words);
    assert.doesNotMatch(text, /\[DONE\]/);
    assert.ok(broken, 'an abnormal end');
    assert.equal(up.requests.length, 1, 'nothing is asked for twice');
  });
}

test('429 and 500 keep their meaning', async (context) => {
  const up = await raw_upstream(context, ending(whole('{}', ['retry-after: 7'], '429 Slow')));
  const server = await serve(context, deployment(up.url));
  const slower = await ask(server, false);
  assert.equal(slower.status, 429);
  assert.equal(slower.headers.get('retry-after'), '7');
  up.answer = ending(whole('{"error":{"message":"at 127.0.0.1"}}', [], '500 No'));
  assert.equal((await ask(server, false)).status, 502);
});

test('a request of 8 MB arrives, with the headers of the gateway alone', async (context) => {
  const up = await raw_upstream(context, ending(whole(document)));
  const server = await serve(context, deployment(up.url, 20000));
  const body = `{"model":"fast","messages":[{"role":"user","content":"${'a'.repeat(8000000)}"}]}`;
  const answer = await post(server, body, 'chat/completions', {headers: {
    'content-type': 'application/json', authorization: 'Bearer mine', cookie: 'a=b', 'x-own': '1',
    'x-forwarded-for': '1.2.3.4', 'openai-organization': 'mine'}});
  assert.equal(answer.status, 200);
  assert.ok(up.requests[0].body.equals(Buffer.from(body.replace('"fast"', '"upstream-model"'))));
  const names = up.requests[0].head.split('\r\n').slice(1).map((line) => line.split(':')[0]);
  assert.deepEqual(names.map((name) => name.toLowerCase()).sort(), ['accept', 'accept-encoding',
    'content-length', 'content-type', 'host', 'user-agent', 'x-request-id']);
  assert.equal((await post(server, '{"model":"fast","messages":[')).status, 400);
  assert.equal(up.requests.length, 1, 'what is malformed goes nowhere');
});

test('a kept connection that is closed under a request is not its fault', async (context) => {
  const up = await raw_upstream(context, (socket, _, count) => {
    if (count === 2) return socket.destroy();
    socket.write(whole(document));
  });
  const server = await serve(context, deployment(up.url));
  assert.equal((await read(await ask(server, false))).text, document);
  assert.equal((await read(await ask(server, false))).text, document);
  assert.equal(up.requests.length, 3);
  assert.equal(up.connections, 2);
  up.answer = (socket) => socket.end('HTTP/1.1 200');
  assert.equal((await ask(server, false)).status, 502);
  assert.equal(up.requests.length, 4, 'not once more after a byte of the answer');
});

test('sound that is not read is held back at its source', async (context) => {
  const seen = {bytes: 0};
  const up = await raw_upstream(context, (socket) => {
    socket.write(head(['content-type: audio/mpeg', 'connection: close']));
    flood(socket, Buffer.alloc(65536, 'b'), seen);
  });
  const server = await serve(context, deployment(up.url));
  const before = resident_mib(server);
  const body = '{"model":"fast","input":"x","voice":"alloy"}';
  const socket = connect(server.port, '127.0.0.1');
  socket.pause();
  socket.on('error', () => {});
  socket.write('POST /v1/audio/speech HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
    `Content-Length: ${body.length}\r\n\r\n${body}`);
  let last = 0;
  let same_since = Date.now();
  await until(() => {
    if (seen.bytes !== last) same_since = Date.now();
    last = seen.bytes;
    return last !== 0 && Date.now() - same_since > 300;
  }, 20000 * slow);
  assert.ok(last < 64 * 1024 * 1024, `${last} bytes`);
  assert.ok(resident_mib(server) - before < 32 * slow, 'held by the kernel, not by us');
  socket.destroy();
  const left = performance.now();
  await until(() => up.closed === 1, 10000 * slow);
  context.diagnostic(`the upstream was told after ${(performance.now() - left).toFixed(1)} ms`);
});
