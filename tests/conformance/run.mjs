// SPDX-License-Identifier: Apache-2.0
// Runs one suite against the program and judges what it says: node run.mjs SUITE
import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {open_upstream} from '../end_to_end/openai_upstream.mjs';
import {http, model, serve, slow} from '../end_to_end/server.mjs';
import {judge, read_line} from './judge.mjs';
import {kModel, suites} from './suites.mjs';

const kSkipped = 77;
const folder = process.env.CONFORMANCE_FOLDER;
const data = join(process.env.BACKPLANE_SHARED_DIR, 'harness/conformance/data/dev');
const name = process.argv[2];
const suite = suites[name];
const written = JSON.parse(readFileSync(new URL('exceptions.json', import.meta.url), 'utf8'));
const upstream_key = 'sk-of-the-upstream';

if (!existsSync(join(folder, 'installed.json')) || !existsSync(data)) {
  console.log(`the suites are not in ${folder}`);
  process.exit(kSkipped);
}

function shards_in(place) {
  return (files, count) => {
    const vectors = files.flatMap((file) => JSON.parse(readFileSync(join(data, file), 'utf8')));
    return Array.from({length: count}, (_, shard) => {
      const file = join(place, `shard-${shard}.json`);
      writeFileSync(file, JSON.stringify(vectors.filter((_, i) => i % count === shard)));
      return file;
    });
  };
}

const deployment = (upstream) => `${http}backends:
  upstream: {uses: openai, settings: {base_url: "${upstream.url}", api_key: {env: UPSTREAM_KEY}}}
models:
  ${kModel}: {routes: [{backend: upstream, model: upstream-model}]}
  ${kModel}-reasoning: {routes: [{backend: upstream, model: upstream-reasoning-model}]}
`;

const local_deployment = `${http}backends:
  local: {uses: local, settings: {model: "${model}", temperature: 0}}
models: {${kModel}: {routes: [{backend: local}]}}
`;

async function start(context) {
  if (suite.local) return {server: await serve(context, local_deployment)};
  const key = name === 'upstream' ? 'sk-of-a-client' : upstream_key;
  const upstream = await open_upstream({key});
  context.after(() => upstream.close());
  const server = await serve(context, deployment(upstream), {UPSTREAM_KEY: upstream_key});
  return {server, upstream};
}

async function run(context, results) {
  process.env.OPENAI_SPEC = join(data, 'openai-openapi/subset.json');
  const {server, upstream} = await start(context);
  const scratch = mkdtempSync(join(tmpdir(), 'conformance-'));
  context.after(() => rmSync(scratch, {recursive: true, force: true}));
  const left_out = Object.keys(written.left_out[name] ?? {});
  const place = {
    url: `${server.url}/v1`, address: server.url.slice('http://'.length), upstream, data, folder,
    slow, shards: shards_in(scratch), left_out: left_out.join('|') || undefined,
    suite: (file) => import(pathToFileURL(join(folder, file)).href),
  };
  return suite.run(place, (line) => {
    if (process.env.SHOW) console.log(line);
    const result = read_line(line, suite.name);
    if (result) results.push(result);
  });
}

const ends = [];
const results = [];
let problems;
try {
  const ok_count = await run({after: (end) => ends.unshift(end)}, results);
  const told = results.filter(({verdict}) => verdict === 'NOTE').length;
  problems = judge(results, written.exceptions[name] ?? {}, ok_count, suite.least);
  console.log(`${name}: ${ok_count} ok, ${told} notes, ${problems.length} problems`);
} finally {
  for (const end of ends) await end();
}
problems.forEach((problem) => console.log(problem));
process.exit(problems.length === 0 ? 0 : 1);
