// SPDX-License-Identifier: Apache-2.0
// Which provider a call reaches: what upstreams that die, stall or refuse have seen is counted.
import assert from 'node:assert/strict';
import {writeFileSync} from 'node:fs';
import test from 'node:test';
import {head, raw_upstream, whole} from './raw_upstream.mjs';
import {http, run, serve, slow, write} from './server.mjs';
import {chunk, completion, event, until} from './upstream.mjs';

const document = JSON.stringify(completion('hi'));
const streamed = head(['content-type: text/event-stream', 'connection: close']) +
  event(chunk({content: 'hi'})) + event(chunk({}, 'stop')) + event('[DONE]');
const good = (socket, {body}) => body.includes('"stream":true')
  ? socket.end(streamed) : socket.write(whole(document));
const dead = (socket) => socket.destroy();

const backend = (name, url, keys = '') =>
  `  ${name}: {uses: openai, settings: {base_url: "${url}"}${keys}}\n`;
// Three upstreams behind one model.
async function market(context, model, keys = {}) {
  const ups = {};
  for (const name of ['a', 'b', 'c']) ups[name] = await raw_upstream(context, good);
  const backends = Object.entries(ups).map(([name, up]) => backend(name, up.url, keys[name]));
  const yaml = `${http}limits: {loops: 2}
admin: {listen: "127.0.0.1:0", token: {env: TOKEN}}
backends:
${backends.join('')}models: {m: {${model}routes: [
  {backend: a, model: far-a}, {backend: b, model: far-b}, {backend: c, model: far-c}]}}
`;
  const server = await serve(context, yaml, {TOKEN: 'a-token-of-a-test'});
  return {server, yaml, ...ups};
}

const post = (server, body = {}) => fetch(`${server.url}/v1/chat/completions`, {
  method: 'POST', headers: {'content-type': 'application/json'},
  body: JSON.stringify({model: 'm', messages: [{role: 'user', content: 'x'}], ...body}),
});
async function ask(server, body) {
  const answer = await post(server, body);
  const text = await answer.text();
  const from = (name) => answer.headers.get(`x-backplane-${name}`);
  return {
    status: answer.status, text, provider: from('provider'), model: from('model'),
    attempts: Number(from('attempts')),
  };
}
async function many(server, count, body) {
  const answers = [];
  for (let i = 0; i < count; ++i) answers.push(await ask(server, body));
  return answers;
}
const all_served = (answers) => answers.every(({status}) => status === 200);

for (const policy of ['ordered', 'weighted', 'fastest', 'least_busy']) {
  test(`${policy}: a dead provider costs nothing after its first failures`, async (context) => {
    const {server, a, b, c} = await market(context, `policy: ${policy}, `);
    a.answer = dead;
    assert.ok(all_served(await many(server, 60)));
    // A failure on a kept connection is tried on a new one.
    assert.ok(a.requests.length <= 10, `${a.requests.length}`);
    assert.equal(b.requests.length + c.requests.length, 60);
  });
}

test('who answered is told, and how many were asked', async (context) => {
  const {server, a, b} = await market(context, '');
  a.answer = dead;
  const first = await ask(server);
  assert.deepEqual([first.provider, first.model, first.attempts], ['b', 'far-b', 2]);
  assert.match(b.requests[0].body.toString(), /"model":"far-b"/);
  const pinned = await ask(server, {provider: 'a'});
  assert.equal(pinned.status, 502);
  assert.deepEqual([pinned.provider, pinned.attempts], ['a', 1]);
});

test('a provider that is back is found by one call', async (context) => {
  const short = ', eject_after: 2, eject_ms: 200';
  const {server, a} = await market(context, '', {a: short});
  a.answer = dead;
  await many(server, 10);
  const seen = a.requests.length;
  a.answer = good;
  const end = Date.now() + 10000 * slow;
  while ((await ask(server)).provider !== 'a') assert.ok(Date.now() < end);
  assert.ok(all_served(await many(server, 10)));
  assert.equal(a.requests.length > seen + 10, true);
});

test('a refusal with a time is heeded until then', async (context) => {
  const {server, a} = await market(context, '');
  const refusal = JSON.stringify({error: {message: 'slow down'}});
  a.answer = (socket) =>
    socket.write(whole(refusal, ['retry-after: 60'], '429 Too Many Requests'));
  const answers = await many(server, 20);
  assert.ok(all_served(answers));
  assert.equal(a.requests.length, 1);
  assert.equal(answers[19].attempts, 1);
});

test('a provider that does not begin is left for another', async (context) => {
  const patience = ', first_event_timeout_ms: 200, eject_after: 2';
  const {server, a} = await market(context, '', {a: patience});
  a.answer = () => {};
  const answers = await many(server, 12, {stream: true});
  assert.ok(all_served(answers));
  assert.equal(a.requests.length, 2);
  assert.match(answers[11].text, /hi/);
});

test('a stream that has begun is not tried again', async (context) => {
  const {server, a, b} = await market(context, '');
  a.answer = (socket) => socket.end(
    head(['content-type: text/event-stream', 'connection: close']) +
    event(chunk({content: 'first'})));
  const {text} = await ask(server, {stream: true}).catch((error) => ({text: String(error)}));
  assert.doesNotMatch(text, /\[DONE\]/);
  assert.equal(b.requests.length, 0);
});

// What ends a stream in its middle, each in its own way.
const breaks = {
  reset: (socket) => socket.resetAndDestroy(),
  'half-close': (socket) => socket.end(),
  'error event': (socket) =>
    socket.end(event({error: {message: 'the engine died', type: 'server_error', code: 500}})),
  stall: () => {},
};
for (const [name, break_off] of Object.entries(breaks)) {
  test(`a stream that breaks off goes on elsewhere: ${name}`, async (context) => {
    const {server, a, b} = await market(context, 'failover: continue, ', {a: ', timeout_ms: 1000'});
    const start = head(['content-type: text/event-stream', 'connection: close']);
    a.answer = (socket) => {
      socket.write(start + event(chunk({role: 'assistant', content: ''})) +
        event(chunk({content: 'one '})) + event(chunk({content: '"two" '})));
      setTimeout(() => break_off(socket), 20);
    };
    b.answer = (socket) => socket.end(start + event(chunk({role: 'assistant', content: ''})) +
      event(chunk({content: 'three'})) + event(chunk({}, 'stop')) +
      event({...chunk({}), choices: [], usage: {prompt_tokens: 12, completion_tokens: 1}}) +
      event('[DONE]'));
    const {text, provider} =
      await ask(server, {stream: true, stream_options: {include_usage: true}});
    const documents = text.split('\n\n').filter((line) => line && line !== 'data: [DONE]')
      .map((line) => JSON.parse(line.slice('data: '.length)));
    assert.equal(provider, 'a', 'the head was sent before');
    assert.match(text, /data: \[DONE\]\n\n$/);
    const said = documents.map(({choices}) => choices[0]?.delta.content ?? '').join('');
    assert.equal(said, 'one "two" three');
    assert.equal(documents.filter(({choices}) => choices[0]?.delta.role).length, 1);
    assert.equal(new Set(documents.map(({id}) => id)).size, 1);
    const told = documents.filter(({x_backplane}) => x_backplane).map((one) => one.x_backplane);
    assert.deepEqual(told, [{event: 'failover', provider: 'b', model: 'far-b', attempts: 2}]);
    assert.equal(documents.at(-2).choices[0].finish_reason, 'stop');
    const {prompt_tokens, completion_tokens, total_tokens} = documents.at(-1).usage;
    assert.deepEqual([prompt_tokens, completion_tokens, total_tokens], [10, 3, 13]);
    const sent = JSON.parse(b.requests[0].body);
    assert.deepEqual(sent.messages,
      [{role: 'user', content: 'x'}, {role: 'assistant', content: 'one "two" '}]);
  });
}

test('a late provider is tried beside another, and the first to answer serves', async (context) => {
  const {server, a, b} = await market(context, 'hedge: {after_ms: 100, percent: 50}, ');
  a.answer = () => {};
  const {status, text, provider, attempts} = await ask(server, {stream: true});
  assert.deepEqual([status, provider, attempts], [200, 'b', 2]);
  assert.match(text, /hi/);
  await until(() => a.closed === 1, 10000 * slow);
  assert.equal(b.requests.length, 1);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  assert.match(metrics, /\nbackplane_hedges_won_total 1\n/);
});

test('a provider that has dropped the model is passed by', async (context) => {
  const {server, a, b} = await market(context, '');
  const gone = JSON.stringify({error: {message: 'The model `far-a` does not exist',
    type: 'invalid_request_error', code: 'model_not_found'}});
  a.answer = (socket) => socket.write(whole(gone, [], '404 Not Found'));
  const answers = await many(server, 20);
  assert.ok(all_served(answers));
  assert.ok(answers.every(({provider}) => provider === 'b'));
  assert.equal(a.requests.length, 5, 'then it is left out');
  assert.equal(b.requests.length, 20);
});

test('a provider that becomes much slower is left out', async (context) => {
  const {server, a, b} = await market(context, '', {a: ', eject_after: 2'});
  assert.ok(all_served(await many(server, 25, {stream: true})));
  a.answer = (socket) => setTimeout(() => socket.end(streamed), 1500 * slow);
  const answers = await many(server, 8, {stream: true});
  assert.ok(all_served(answers));
  assert.equal(a.requests.length, 25 + 2);
  assert.equal(b.requests.length, 6);
});

test('what is asked of providers is heeded', async (context) => {
  const {server, a, c} = await market(context, '');
  assert.equal((await ask(server, {provider: {order: ['c', 'b']}})).provider, 'c');
  assert.equal((await ask(server, {provider: {only: ['b']}})).provider, 'b');
  assert.equal((await ask(server, {provider: {ignore: ['a']}})).provider, 'b');
  const none = await ask(server, {provider: {only: ['a'], ignore: ['a']}});
  assert.equal(none.status, 404);
  assert.match(none.text, /a \(in \\"ignore\\"\), b \(not in \\"only\\"\)/);
  assert.equal((await ask(server, {provider: {data_collection: 'deny'}})).status, 404);
  assert.match((await ask(server, {provider: {quantizations: ['fp8']}})).text, /quantizations/);
  assert.equal(a.requests.length, 0);
  assert.equal(c.requests.length, 1);
});

test('conversations that begin alike stay together', async (context) => {
  const {server} = await market(context, 'policy: least_busy, sticky: true, ');
  const providers = new Set();
  for (let i = 0; i < 12; ++i) {
    const first = {role: 'user', content: `question ${i}`};
    const {provider} = await ask(server, {messages: [first]});
    providers.add(provider);
    const later = [first, {role: 'assistant', content: 'yes'}, {role: 'user', content: 'more'}];
    assert.equal((await ask(server, {messages: later})).provider, provider);
  }
  assert.ok(providers.size > 1);
});

test('what is known of a route outlives a reload', async (context) => {
  const {server, yaml, a} = await market(context, '');
  a.answer = dead;
  await many(server, 10);
  const seen = a.requests.length;
  writeFileSync(server.file, yaml.replace('loops: 2', 'loops: 2, drain_ms: 100'));
  server.process.kill('SIGHUP');
  await until(() => /reloaded the deployment/.test(server.stderr()), 10000 * slow);
  assert.ok(all_served(await many(server, 20)));
  assert.equal(a.requests.length, seen);
});

test('the list of models says who serves them', async (context) => {
  const up = await raw_upstream(context, good);
  const server = await serve(context, `${http}backends:
${backend('up', up.url)}models:
  m:
    price: {input: 0.5, output: 1}
    routes: [{backend: up, model: far, cost: {input: 0.25, output: 0.75}, privacy: private}]
`);
  const {data} = await (await fetch(`${server.url}/v1/models`)).json();
  assert.deepEqual(data.map(({created, ...rest}) => rest), [{
    id: 'm', object: 'model', owned_by: 'backplane', price: {input: '0.5', output: '1'},
    privacy: 'private',
    providers: [{
      name: 'up', model: 'far', price: {input: '0.25', output: '0.75'}, privacy: 'private',
    }],
  }]);
});

test('explain tells the policy', (context) => {
  const file = write(context, `${http}backends:
${backend('up', 'http://127.0.0.1:9/v1')}models: {m: {policy: fastest, routes: [{backend: up}]}}
`);
  const {status, stdout} = run(['explain', file, 'm']);
  assert.equal(status, 0);
  assert.match(stdout, /policy: fastest, the better of two by what is measured/);
});
