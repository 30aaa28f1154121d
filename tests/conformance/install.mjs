// SPDX-License-Identifier: Apache-2.0
// Copies the suites to the build tree and installs their packages, once for each lock file.
import {spawnSync} from 'node:child_process';
import {
  copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync,
} from 'node:fs';
import {join} from 'node:path';

const kSkipped = 77;
const from = join(process.env.BACKPLANE_SHARED_DIR, 'harness/conformance/suite');
const to = process.env.CONFORMANCE_FOLDER;
const stamp = join(to, 'installed.json');

if (!existsSync(from)) {
  console.log(`no suites in ${from}`);
  process.exit(kSkipped);
}
mkdirSync(to, {recursive: true});
for (const name of readdirSync(from).filter((one) => /\.(mjs|json)$/.test(one))) {
  writeFileSync(join(to, name), readFileSync(join(from, name)));
}
const lock = join(to, 'package-lock.json');
if (existsSync(stamp) && readFileSync(stamp).equals(readFileSync(lock))) process.exit(0);
const done = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {cwd: to, encoding: 'utf8'});
if (done.status !== 0) {
  console.log(`the packages of the suites cannot be had: ${done.stderr ?? done.error}`);
  process.exit(kSkipped);
}
copyFileSync(lock, stamp);
