// SPDX-License-Identifier: Apache-2.0
// docs/metrics.md against what /metrics says, and what calls of all kinds leave there.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'node:test';
import {http, model, serve, source} from './server.mjs';
import {completion, json, until, upstream} from './upstream.mjs';

// {name: {type, labels: [..], help}} of both.
function documented() {
  const page = readFileSync(join(source, 'docs/metrics.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` \| (\w+) \| ([^|]*)\| (.+) \|$/gm)];
  return Object.fromEntries(rows.map(([, name, type, labels]) => [
    name, {type, labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label).sort()}]));
}

function exported(text) {
  const found = {};
  for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    found[name] = {type, labels: new Set()};
  }
  for (const [, series, , labels] of text.matchAll(/^([a-z_]+)(\{([^}]*)\})? /gm)) {
    const name = found[series] ? series : series.replace(/_(bucket|sum|count)$/, '');
    for (const [, label] of (labels ?? '').matchAll(/(\w+)="/g)) {
      if (label !== 'le') found[name].labels.add(label);
    }
  }
  return Object.fromEntries(Object.entries(found).map(([name, {type, labels}]) =>
    [name, {type, labels: [...labels].sort()}]));
}

const scrape = async (server) => (await fetch(`${server.url}/metrics`)).text();
const value = (text, series) => Number(text.split('\n')
  .find((line) => line.startsWith(`${series} `))?.slice(series.length + 1));

const post = (server, body) => fetch(`${server.url}/v1/chat/completions`, {
  method: 'POST', headers: {'content-type': 'application/json'},
  body: typeof body === 'string' ? body : JSON.stringify({messages: [], ...body}),
}).then(async (answer) => { await answer.arrayBuffer(); return answer.status; });

async function started(context) {
  const bad = await upstream(context, (_, response) => json(response, 503, {error: 'no'}));
  const good = await upstream(context, (_, response) => json(response, 200, completion('hi')));
  return serve(context, `${http}limits: {loops: 2}
telemetry: {otlp: {endpoint: "http://127.0.0.1:1"}}
backends:
  bad: {uses: openai, settings: {base_url: "${bad.url}"}}
  good: {uses: openai, settings: {base_url: "${good.url}"}}
  local: {uses: local, settings: {model: "${model}"}}
  proven: {uses: phala, settings: {base_url: "${good.url}", api_key: k, models_refresh_seconds: 0,
    attestation: {policy: warn}}}
models: {m: {routes: [{backend: bad}, {backend: good}]},
  kept: {cache: {ttl_seconds: 60}, routes: [{backend: good}]},
  private: {routes: [{backend: proven}]}, tiny: {routes: [{backend: local}]}}
`);
}

test('the page and the program name the same metrics', async (context) => {
  const server = await started(context);
  assert.equal(await post(server, {model: 'm'}), 200);
  const text = await scrape(server);
  assert.deepEqual(exported(text), documented());
  assert.doesNotMatch(text, /127\.0\.0\.1/, 'an address');
});

test('calls of all kinds are counted', async (context) => {
  const server = await started(context);
  for (let i = 0; i < 20; ++i) assert.equal(await post(server, {model: 'm'}), 200);
  assert.equal(await post(server, {model: 'nope'}), 404);
  assert.equal(await post(server, '{"model"'), 400);
  const text = await scrape(server);
  const is = (series, expected) => assert.equal(value(text, series), expected, series);
  is('backplane_calls_total{model="m",outcome="ok"}', 20);
  is('backplane_attempts_total{backend="bad",outcome="unavailable"}', 5);
  is('backplane_route_ejections_total{backend="bad",model="m"}', 1);
  is('backplane_route_good{backend="bad",model="m"}', 0);
  is('backplane_route_good{backend="good",model="m"}', 1);
  is('backplane_attempts_total{backend="good",outcome="ok"}', 20);
  is('backplane_fallbacks_total', 5);
  is('backplane_backend_live_calls{backend="good"}', 0);
  is('backplane_live_calls', 0);
  is('backplane_call_seconds_count{model="m"}', 20);
  is('backplane_tokens_total{kind="prompt",model="m"}', 60);
  is('backplane_tokens_total{kind="completion",model="m"}', 100);
  is('backplane_requests_rejected_total{reason="no_such_model"}', 1);
  is('backplane_requests_rejected_total{reason="invalid"}', 1);
  is('backplane_build_info{version="0.1.0"}', 1);
  const sent = value(text, 'backplane_upstream_connections_opened_total') +
    value(text, 'backplane_upstream_connections_reused_total');
  assert.equal(sent, 25, 'each try went out on a connection');
  assert.ok(value(text, 'backplane_upstream_connections_reused_total') > 0);
  assert.ok(value(text, 'backplane_upstream_idle_connections') <=
    value(text, 'backplane_upstream_connections'));
  assert.ok(value(text, 'backplane_connections_accepted_total') >= 1);
  assert.ok(value(text, 'backplane_connections') >= 1);
});

test('a local model tells what it computes', async (context) => {
  const server = await started(context);
  const messages = [{role: 'user', content: 'Tell me a story about a fox and a crow. '.repeat(4)}];
  const ask = {model: 'tiny', messages, temperature: 0, max_tokens: 8};
  for (let i = 0; i < 3; ++i) assert.equal(await post(server, ask), 200);
  const local = (text, name, label = '') =>
    value(text, `backplane_local_${name}{backend="local"${label}}`);
  let text = await scrape(server);
  while (local(text, 'running_requests') > 0) text = await scrape(server);
  assert.equal(local(text, 'waiting_requests'), 0);
  assert.equal(local(text, 'model_loaded'), 1);
  assert.equal(local(text, 'first_token_seconds_count'), 3);
  assert.equal(local(text, 'tokens_total', ',kind="generated"'), 24);
  assert.equal(local(text, 'next_token_seconds_count'), 21);
  assert.ok(local(text, 'tokens_total', ',kind="prompt"') > 16);
  assert.ok(local(text, 'prefix_hit_tokens_total') >= 32, 'two of three found the first page');
  assert.equal(local(text, 'preemptions_total'), 0);
  assert.ok(local(text, 'step_seconds_count') >= 22);
  assert.equal(local(text, 'step_seconds_count'), local(text, 'batch_requests_count'));
  assert.equal(local(text, 'cache_pages', ',state="used"'), 0);
  assert.ok(local(text, 'cache_pages', ',state="cached"') >= 1);
  assert.ok(local(text, 'cache_pages', ',state="free"') > 1);
});

test('the process tells of itself', async (context) => {
  const server = await started(context);
  const before = await scrape(server);
  const sockets = await Promise.all(Array.from({length: 20}, () => scrape(server)));
  assert.equal(sockets.length, 20);
  const after = await scrape(server);
  const started_s = value(after, 'process_start_time_seconds');
  assert.ok(Math.abs(Date.now() / 1000 - started_s) < 600, `${started_s}`);
  assert.ok(value(after, 'process_cpu_seconds_total') > value(before, 'process_cpu_seconds_total'));
  assert.ok(value(after, 'process_resident_memory_bytes') > 1e6);
  assert.ok(value(after, 'process_virtual_memory_bytes') >=
    value(after, 'process_resident_memory_bytes'));
  assert.ok(value(after, 'process_open_fds') > 3);
  assert.ok(value(after, 'process_open_fds') < value(after, 'process_max_fds'));
});

test('a call that goes on is seen', async (context) => {
  let finish;
  const up = await upstream(context, (_, response) => {
    finish = () => json(response, 200, completion('late'));
  });
  const server = await serve(context, `${http}backends:
  up: {uses: openai, settings: {base_url: "${up.url}"}, max_concurrent: 1}
models: {m: {routes: [{backend: up}]}}
`);
  const call = post(server, {model: 'm'});
  await until(() => finish);
  assert.equal(await post(server, {model: 'm'}), 429);
  const during = await scrape(server);
  assert.equal(value(during, 'backplane_live_calls'), 1);
  assert.equal(value(during, 'backplane_backend_live_calls{backend="up"}'), 1);
  assert.equal(value(during, 'backplane_attempts_total{backend="up",outcome="busy"}'), 1);
  assert.equal(value(during, 'backplane_upstream_connections'), 1);
  finish();
  assert.equal(await call, 200);
  const after = await scrape(server);
  assert.equal(value(after, 'backplane_live_calls'), 0);
  assert.equal(value(after, 'backplane_backend_live_calls{backend="up"}'), 0);
  assert.equal(value(after, 'backplane_upstream_idle_connections'), 1);
});
