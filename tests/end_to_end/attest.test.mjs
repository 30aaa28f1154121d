// SPDX-License-Identifier: Apache-2.0
// Evidence of trusted execution, judged by the program: from files, from who gives it, with
// collateral from files and from a cache.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {join} from 'node:path';
import test from 'node:test';
import {backplane, run, source, workdir} from './server.mjs';

const recorded = join(source, '../shared/vectors/providers');
const hasRecorded = existsSync(join(recorded, 'tdx_cases.json'));
const skip = hasRecorded ? false : 'no recorded evidence beside the repository';
const json = (name) => JSON.parse(readFileSync(join(recorded, name.replace(/^dev\//, ''))));
const path = (name) => join(recorded, name.replace(/^dev\//, ''));

// The command while this process serves: {status, stdout, stderr, verdict}.
function attest(...args) {
  const child = spawn(backplane, ['attest', ...args, '--json']);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => { stdout += data; });
  child.stderr.on('data', (data) => { stderr += data; });
  return new Promise((resolve) => {
    child.on('close', (status) => {
      resolve({status, stdout, stderr, verdict: stdout ? JSON.parse(stdout) : null});
    });
  });
}

// {url, seen}: answers with what `answer(path)` gives, {body, headers}, or 404.
async function serveAnswers(context, answer) {
  const seen = [];
  const server = createServer((request, response) => {
    seen.push(request.url);
    const found = answer(request.url);
    response.writeHead(found ? found.status ?? 200 : 404, found?.headers ?? {});
    response.end(found?.body ?? '');
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  context.after(() => server.close());
  return {url: `http://127.0.0.1:${server.address().port}`, seen};
}

test('what attest takes is told, and what it does not take refused', () => {
  const help = run(['attest', '--help']);
  assert.equal(help.status, 0);
  for (const option of ['--collateral', '--pccs', '--at', '--nonce', '--accept', '--json']) {
    assert.match(help.stdout, new RegExp(option));
  }
  for (const args of [[], ['x', '--at', 'soon'], ['x', '--at', '-1'], ['x', '--nonce', 'ab'],
    ['x', '--accept', 'Fine'], ['x', '--what']]) {
    const {status, stdout, stderr} = run(['attest', ...args]);
    assert.equal(status, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.notEqual(stderr, '');
  }
  const {status, stderr} = run(['attest', '/nowhere/at/all']);
  assert.equal(status, 1);
  assert.match(stderr, /cannot be read/);
});

test('what is no evidence is rejected, with a reason', async (context) => {
  const folder = workdir(context);
  const cases = {
    nothing: ['', 'REPORT_MALFORMED'],
    words: ['no quote', 'REPORT_MALFORMED'],
    json: ['{"intel_quote": "zz"}', 'REPORT_MALFORMED'],
    gpu: ['[["JWT", "x"], {}]', 'NOT_A_QUOTE'],
    sgx: [Buffer.from([3, 0, 2, 0, ...Array(500).fill(0)]), 'TEE_TYPE'],
    short: [Buffer.from([4, 0, 2, 0]), 'QUOTE_MALFORMED'],
  };
  for (const [name, [content, reason]] of Object.entries(cases)) {
    const file = join(folder, name);
    writeFileSync(file, content);
    const {status, verdict} = await attest(file);
    assert.equal(status, 1, name);
    assert.equal(verdict.verdict, 'rejected');
    assert.equal(verdict.reason, reason, name);
    const plain = run(['attest', file]);
    assert.equal(plain.status, 1);
    assert.match(plain.stdout, new RegExp(`^rejected: .*\\[${reason}\\]`));
  }
});

test('a URL is asked with a nonce of 32 bytes', async (context) => {
  const server = await serveAnswers(context, (url) => (
    url.startsWith('/report') ? {body: '{"intel_quote": "00"}'} : null));
  assert.equal((await attest(`${server.url}/report`)).verdict.reason, 'QUOTE_MALFORMED');
  assert.equal((await attest(`${server.url}/report?model=m`)).status, 1);
  const nonce = 'ab'.repeat(32);
  await attest(`${server.url}/report?model=m`, '--nonce', nonce);
  await attest(`${server.url}/report?nonce=${nonce}&model=m`);
  assert.match(server.seen[0], /^\/report\?nonce=[0-9a-f]{64}$/);
  assert.match(server.seen[1], /^\/report\?model=m&nonce=[0-9a-f]{64}$/);
  assert.notEqual(server.seen[0].slice(-64), server.seen[1].slice(-64));
  assert.equal(server.seen[2], `/report?model=m&nonce=${nonce}`);
  assert.equal(server.seen[3], `/report?nonce=${nonce}&model=m`);
  assert.equal((await attest(`${server.url}/report?nonce=12`)).status, 2);
  const missing = await attest(`${server.url}/other?model=secret`);
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /status 404/);
  assert.doesNotMatch(missing.stderr, /secret/);
});

test('recorded quotes get their verdicts', {skip}, async () => {
  for (const each of json('tdx_cases.json').cases) {
    const {status, verdict} = await attest(path(each.quote), '--collateral', path(each.collateral),
      '--at', String(each.time));
    const isAccepted = each.expect.status === 'UpToDate';
    assert.equal(status, isAccepted ? 0 : 1, each.quote);
    assert.equal(verdict.accepted, isAccepted);
    if (each.expect.crypto !== 'ok' || verdict.reason === 'TEE_TYPE') continue;
    const [{tcb}] = verdict.evidences;
    assert.equal(verdict.tcb_status, each.expect.status);
    for (const part of ['platform', 'module', 'qe']) assert.equal(tcb[part], each.expect[part]);
    assert.deepEqual(verdict.advisories, each.expect.advisories);
    assert.deepEqual(verdict.policy_flags, each.expect.policy_flags);
  }
});

test('a status is accepted when it is named', {skip}, async () => {
  const each = json('tdx_cases.json').cases.find((one) => one.expect.status === 'OutOfDate');
  const args = [path(each.quote), '--collateral', path(each.collateral), '--at', String(each.time)];
  assert.equal((await attest(...args)).verdict.reason, 'TCB_STATUS');
  assert.equal((await attest(...args, '--accept', 'OutOfDate')).status, 0);
});

// What a cache of Intel's service answers, from a file of collateral.
function answersOf(collateral) {
  const chain = (text) => encodeURIComponent(text);
  const signed = (name, text, signature) => `{"${name}":${text},"signature":"${signature}"}`;
  return {
    '/tdx/certification/v4/tcb': {
      body: signed('tcbInfo', collateral.tcb_info, collateral.tcb_info_signature),
      headers: {'TCB-Info-Issuer-Chain': chain(collateral.tcb_info_issuer_chain)},
    },
    '/tdx/certification/v4/qe/identity': {
      body: signed('enclaveIdentity', collateral.qe_identity, collateral.qe_identity_signature),
      headers: {'SGX-Enclave-Identity-Issuer-Chain': chain(collateral.qe_identity_issuer_chain)},
    },
    '/sgx/certification/v4/pckcrl': {body: Buffer.from(collateral.pck_crl, 'hex')},
    '/sgx/certification/v4/rootcacrl': {body: collateral.root_ca_crl},
  };
}

test('recorded reports are fetched and accepted, with collateral of a cache', {skip},
  async (context) => {
    for (const each of json('attestation/MANIFEST.json')) {
      if (!each.client_nonce) continue;
      const answers = answersOf(json(each.collateral));
      const server = await serveAnswers(context, (url) => {
        if (url.startsWith('/tee/attestation')) return {body: readFileSync(path(each.file))};
        return answers[url.split('?')[0]];
      });
      const {status, verdict, stderr} = await attest(`${server.url}/tee/attestation?model=m`,
        '--pccs', server.url, '--nonce', each.client_nonce, '--at', String(each.captured_at));
      assert.equal(status, 0, stderr + verdict?.message);
      assert.equal(verdict.tcb_status, each.expect.tcb);
      const [first] = verdict.evidences;
      assert.equal(first.bound.signing_address, each.expect.address);
      const outcomes = Object.fromEntries(first.checks.map(({name, outcome}) => [name, outcome]));
      assert.equal(outcomes.freshness, 'passed');
      assert.equal(outcomes.event_log, 'passed');
      assert.equal(outcomes.gpu_evidence, 'not_checked');
      // Without a cache, or answered with a nonce that nobody asked with.
      const other = await attest(path(each.file), '--pccs', `${server.url}/none`);
      assert.equal(other.verdict.reason, 'COLLATERAL_MISSING');
      assert.match(other.stderr, /status 404/);
      const stale = await attest(`${server.url}/tee/attestation`, '--pccs', server.url,
        '--at', String(each.captured_at));
      assert.equal(stale.verdict.reason, 'NONCE');
    }
  });
