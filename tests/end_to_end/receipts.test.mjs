// SPDX-License-Identifier: Apache-2.0
// Models that have to prove themselves, over real connections to providers that do not: what is
// required fails closed with its reason, what is only watched is told in the receipt.
import assert from 'node:assert/strict';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {join} from 'node:path';
import test from 'node:test';
import {run, serve, source, workdir} from './server.mjs';

const recorded = join(source, '../shared/vectors/providers/attestation/venice_gemma_3_27b_p.json');
const report = existsSync(recorded) ? readFileSync(recorded, 'utf8') : null;

const answer = {
  id: 'chat-1', object: 'chat.completion', created: 1, model: 'm',
  choices: [{index: 0, message: {role: 'assistant', content: '4'}, finish_reason: 'stop'}],
};
const stream = [
  {id: 'chat-1', choices: [{index: 0, delta: {role: 'assistant', content: '4'}}]},
  {id: 'chat-1', choices: [{index: 0, delta: {}, finish_reason: 'stop'}]},
].map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('') + 'data: [DONE]\n\n';

// A provider: {url, seen}. `attest(response)` answers the question for an attestation.
async function provider(context, attest) {
  const seen = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (data) => { body += data; });
    request.on('end', () => {
      seen.push({path: request.url, body});
      if (request.url.startsWith('/v1/attestation/report')) return attest(response, request);
      if (request.url.startsWith('/v1/signature/')) {
        response.writeHead(404);
        return response.end('{"error":"Chat id not found or expired"}');
      }
      if (JSON.parse(body || '{}').stream) {
        response.writeHead(200, {'content-type': 'text/event-stream'});
        return response.end(stream);
      }
      response.writeHead(200, {'content-type': 'application/json'});
      return response.end(JSON.stringify(answer));
    });
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  context.after(() => { server.closeAllConnections(); server.close(); });
  return {url: `http://127.0.0.1:${server.address().port}/v1`, seen};
}

const deployment = (url, settings, other = '') => `
transports: {http: {uses: http, settings: {listen: "127.0.0.1:0"}}}
backends:
  tee:
    uses: phala
    settings: {base_url: "${url}", models_refresh_seconds: 0, ${settings}}
${other ? '  other: {uses: echo}' : ''}
models:
  m: {routes: [{backend: tee}${other}]}
`;

async function chat(server, {headers = {}, ...members} = {}) {
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST', headers: {'content-type': 'application/json', ...headers},
    body: JSON.stringify({model: 'm', messages: [{role: 'user', content: '2+2?'}], ...members}),
  });
  return {status: response.status, id: response.headers.get('x-request-id'),
    provider: response.headers.get('x-backplane-provider'), text: await response.text()};
}

async function receipt(server, id, headers = {}) {
  const response = await fetch(`${server.url}/v1/receipts/${id}`, {headers});
  return {status: response.status, text: await response.text(),
    cache: response.headers.get('cache-control')};
}

const failures = {
  garbage: {reason: 'REPORT_MALFORMED', attest: (response) => response.end('no report')},
  unavailable: {reason: 'ATTESTATION_UNAVAILABLE',
    attest: (response) => { response.writeHead(503); response.end(); }},
  dead: {reason: 'ATTESTATION_UNAVAILABLE', attest: (_, request) => request.socket.destroy()},
  endless: {reason: 'ATTESTATION_UNAVAILABLE', attest: (response) => {
    response.writeHead(200);
    const more = () => { while (response.write('x'.repeat(65536))); };
    response.on('drain', more);
    more();
  }},
  'no quote': {reason: 'REPORT_MALFORMED',
    attest: (response) => response.end('{"signing_address":"0x00"}')},
  'of another nonce': {reason: null, attest: (response) => response.end(report)},
};
for (const [name, {reason, attest}] of Object.entries(failures)) {
  const skip = name === 'of another nonce' && !report ? 'no recorded evidence' : false;
  test(`required: an attestation that is ${name} sends nothing`, {skip}, async (context) => {
    const tee = await provider(context, attest);
    const pccs = 'collateral_url: "http://127.0.0.1:9"';
    const server = await serve(context,
      deployment(tee.url, `attestation: {policy: require, ${pccs}}`));
    for (const members of [{}, {stream: true}, {}]) {
      const {status, text} = await chat(server, members);
      assert.equal(status, 502, text);
      const {code} = JSON.parse(text).error;
      if (reason) assert.equal(code, reason);
    }
    assert.ok(tee.seen.length > 0);
    for (const {path, body} of tee.seen) {
      assert.match(path, /^\/v1\/attestation\/report\?model=m&nonce=[0-9a-f]{64}$/);
      assert.equal(body, '');
    }
  });
}

test('required: another route takes the call', async (context) => {
  const tee = await provider(context, failures.garbage.attest);
  const server = await serve(context,
    deployment(tee.url, 'attestation: {policy: require}', ', {backend: other}'));
  const {status, provider: who} = await chat(server);
  assert.equal(status, 200);
  assert.equal(who, 'other');
});

test('watched: the call goes on, and its receipt tells', async (context) => {
  const tee = await provider(context, failures.garbage.attest);
  const server = await serve(context, deployment(tee.url, 'attestation: {policy: warn}'));
  const alice = {authorization: 'Bearer alice'};
  for (const stream_ of [false, true]) {
    const {status, id, text} = await chat(server, {stream: stream_, headers: alice});
    assert.equal(status, 200);
    assert.match(text, /"4"/);
    if (stream_) assert.match(text, /data: \[DONE\]\n\n$/);
    const found = await receipt(server, id, alice);
    assert.equal(found.status, 200, found.text);
    assert.equal(found.cache, 'no-store');
    const told = JSON.parse(found.text);
    assert.equal(told.verdict, 'not_proven');
    assert.equal(told.request_id, id);
    assert.equal(told.chat_id, 'chat-1');
    assert.equal(told.attestation.policy, 'warn');
    assert.equal(told.attestation.verdict, 'rejected');
    assert.equal(told.attestation.reason, 'REPORT_MALFORMED');
    assert.equal(told.signature.verdict, 'not_checked');
    assert.equal(told.response.bytes,
      stream_ ? stream.length : JSON.stringify(answer).length);
    assert.equal((await receipt(server, id)).status, 404);
    assert.equal((await receipt(server, id, {authorization: 'Bearer bob'})).status, 404);
    assert.equal((await receipt(server, `${id}0`, alice)).status, 404);
    const file = join(workdir(context), 'receipt.json');
    writeFileSync(file, found.text);
    const {status: exit, stdout} = run(['verify', file, '--json']);
    assert.equal(exit, 1);
    assert.equal(JSON.parse(stdout).reason, 'NO_EVIDENCE');
  }
  assert.match(server.stderr() + server.stdout(), /attestation was rejected/);
});

test('off: nobody is asked, and there is no receipt', async (context) => {
  const tee = await provider(context, failures.garbage.attest);
  const server = await serve(context, deployment(tee.url, 'stream_usage: true'));
  const {status, id} = await chat(server);
  assert.equal(status, 200);
  assert.deepEqual(tee.seen.map(({path}) => path), ['/v1/chat/completions']);
  assert.equal((await receipt(server, id)).status, 404);
});

test('signatures are not required of nobody', async (context) => {
  const file = join(workdir(context), 'deploy.yaml');
  writeFileSync(file, deployment('http://127.0.0.1:9', 'signatures: {policy: require}'));
  const {status, stderr, stdout} = run(['serve', file]);
  assert.notEqual(status, 0);
  assert.match(stderr + stdout, /signatures\.policy/);
});

test('what verify takes is told, and what it does not take refused', (context) => {
  const help = run(['verify', '--help']);
  assert.equal(help.status, 0);
  for (const option of ['--request', '--response', '--collateral', '--at', '--json']) {
    assert.match(help.stdout, new RegExp(option));
  }
  for (const args of [[], ['x', '--at', 'soon'], ['x', '--accept', 'Fine'], ['x', '--what']]) {
    const {status, stdout, stderr} = run(['verify', ...args]);
    assert.equal(status, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.notEqual(stderr, '');
  }
  assert.equal(run(['verify', '/nowhere/at/all']).status, 1);
  const folder = workdir(context);
  for (const [name, content] of Object.entries(
    {empty: '', words: 'no receipt', list: '[]', object: '{}', version: '{"version": 2}',
      large: ' '.repeat(70000)})) {
    const file = join(folder, name);
    writeFileSync(file, content);
    const {status, stdout, stderr} = run(['verify', file]);
    assert.equal(status, 1, name);
    assert.match(stdout + stderr, /receipt|longer than/, name);
  }
});
