// Load on the webhook receiver of the release binary: 500 deliveries a second, signed, from a public load generator
// (autocannon), first with the engine at work, then with a SIGTERM and a SIGKILL in the middle; and how long it takes from
// an event on one side to the write on the other. Run it by `make load`. Prints Markdown for docs/benchmarks.md; ends with
// an error when a figure is not what it must be.
//
// usage: node benches/webhooks.mjs [seconds] [deliveries a second]     default 60 500; ASAF_BINARY: another binary
import { spawn, execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const autocannon = createRequire(join(root, 'target/node/'))('autocannon');
const binary = process.env.ASAF_BINARY ?? join(root, 'target/release/asaf');
const seconds = Number(process.argv[2] ?? 60);
const rate = Number(process.argv[3] ?? 500);
// Jira sends at most 20 primary deliveries at once to one host.
const connections = 20;
const secret = "It's a Secret to Everybody";
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function until(what, look) {
  for (let tries = 0; tries < 6000; tries += 1) {
    try {
      const found = await look();
      if (found) return found;
    } catch {
      // Not yet.
    }
    await sleep(10);
  }
  throw new Error(`${what}: it did not happen within a minute`);
}

function start(args, env, log) {
  const child = spawn(binary, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', log ?? 'ignore'] });
  child.ended = new Promise((done) => child.on('exit', (code, signal) => done({ code, signal })));
  return child;
}

// Nothing is queued, and no event has come for two seconds: what the first run wrote has come back and is done with.
async function quiet(base) {
  let [events, since] = [-1, performance.now()];
  await until('a quiet engine', async () => {
    const text = await figures(base);
    const depth = figure(text, 'asaf_queue_depth{state="ready"}') + figure(text, 'asaf_queue_depth{state="leased"}');
    const come = text.split('\n').filter((one) => one.startsWith('asaf_event_total{')).reduce((sum, one) => sum + Number(one.split(' ').at(-1)), 0);
    if (come !== events || depth > 0) [events, since] = [come, performance.now()];
    return performance.now() - since > 2000;
  });
}

const figures = async (base) => (await fetch(`${base}/metrics`)).text();
function figure(text, name) {
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return line ? Number(line.slice(name.length + 1)) : 0;
}

function residentMiB(pid) {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8').split('\n').find((one) => one.startsWith('VmRSS:'));
  return Number(line.match(/\d+/)[0]) / 1024;
}

// A change of a ticket as large as Jira tells it: some 8 KB.
const filler = 'x'.repeat(7500);
function delivery(ticket, n) {
  const body = JSON.stringify({
    timestamp: 1795000000000 + n,
    webhookEvent: 'jira:issue_updated',
    issue: { id: String(ticket), key: `SEC-${ticket}`, fields: { labels: ['asaf'], description: filler } },
    changelog: { id: String(n), items: [{ field: 'status', fieldId: 'status', from: '1', to: '2' }] },
  });
  const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  return { body, headers: { 'X-Hub-Signature': signature, 'X-Atlassian-Webhook-Identifier': `id-${n}` } };
}

// Sends for the whole time; `ticketOf` says which ticket the n-th delivery is about.
async function load(base, ticketOf) {
  const acknowledged = new Set();
  let sent = 0;
  const answers = {};
  const result = await autocannon({
    url: `${base}/webhook/jira`,
    connections,
    duration: seconds,
    overallRate: rate,
    requests: [{
      method: 'POST',
      setupRequest(request, context) {
        context.ticket = ticketOf(sent);
        Object.assign(request, delivery(context.ticket, sent));
        sent += 1;
        return request;
      },
      onResponse(status, _body, context) {
        answers[status] = (answers[status] ?? 0) + 1;
        if (status === 200) acknowledged.add(context.ticket);
      },
    }],
  });
  return { acknowledged, answers, sent, latency: result.latency, errors: result.errors };
}

// A check passes, Security Hub tells it, and the ticket is resolved: how long from the event to the write.
async function checkToTicket(emulated) {
  const open = await (await fetch(`${emulated.control}/state/tickets?status=open&limit=1000`)).json();
  const controls = open.rows.filter((row) => row.finding?.includes('security-control'));
  const took = [];
  for (const { key, finding } of controls.slice(0, 100)) {
    const passes = JSON.stringify({ do: 'finding_passes', finding });
    const done = await fetch(`${emulated.control}/world`, { method: 'POST', body: passes });
    if (done.status !== 200) throw new Error(`the finding could not pass: ${done.status}`);
    const began = performance.now();
    await until('the write', async () => (await (await fetch(`${emulated.control}/state/tickets/${key}`)).json()).status === 'Resolved');
    took.push(performance.now() - began);
  }
  return took.sort((a, b) => a - b);
}

// A team resolves a ticket, Jira tells it, and Security Hub is written: how long from the event to the write.
async function eventToWrite(emulated, base, tickets) {
  const basic = (role) => `Basic ${Buffer.from(`${emulated.users[role].email}:${emulated.users[role].token}`).toString('base64')}`;
  const headers = { authorization: basic('product'), 'content-type': 'application/json' };
  const took = [];
  for (const [n, ticket] of tickets.slice(0, 100).entries()) {
    await fetch(`${emulated.control}/requests/reset`, { method: 'POST' });
    const path = `${emulated.jira}/rest/api/3/issue/${ticket}/transitions`;
    const { transitions } = await (await fetch(path, { headers })).json();
    const { id } = transitions.find((one) => one.to.name === 'Resolved');
    const moved = await fetch(path, { method: 'POST', headers, body: JSON.stringify({ transition: { id } }) });
    if (moved.status !== 204) throw new Error(`the ticket could not be resolved: ${moved.status}`);
    const began = performance.now();
    await fetch(`${base}/webhook/jira`, { method: 'POST', ...delivery(ticket, 1e9 + n) });
    await until('the write', async () => (await (await fetch(`${emulated.control}/requests`)).json()).aws.BatchUpdateFindings > 0);
    took.push(performance.now() - began);
  }
  return took.sort((a, b) => a - b);
}

const more = (port) => `\n[serve]\nlisten = "127.0.0.1:${port}"\nqueue_most = 1000000\n[webhook]\nsecrets = ["env:HOOK"]\n`;

async function atWork(folder) {
  const ready = join(folder, 'ready.json');
  const world = start(['--quiet', 'emulate', '--accounts', '20', '--findings', '2000', '--quotas', 'off', '--ready-file', ready], {});
  try {
    const emulated = await until('the emulators', () => existsSync(ready) && JSON.parse(readFileSync(ready, 'utf8')));
    const config = join(folder, 'asaf.toml');
    writeFileSync(config, `${readFileSync(emulated.config, 'utf8')}${more(0)}[queue]\nurl = "${emulated.queue}"\n`);
    const file = join(folder, 'serve.json');
    const serve = start(['serve', '--ready-file', file], { ASAF_CONFIG: config, HOOK: secret, ASAF_LOG: 'warn', ...emulated.env });
    const { listen } = await until('asaf serve', () => existsSync(file) && JSON.parse(readFileSync(file, 'utf8')));
    const base = `http://${listen}`;
    await until('the first run', async () => figure(await figures(base), 'asaf_reconcile_total{kind="full",outcome="ok"}') > 0);
    const { email, token } = emulated.users.bot;
    const found = await fetch(`${emulated.jira}/rest/api/3/search/jql`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${email}:${token}`).toString('base64')}`, 'content-type': 'application/json' },
      body: JSON.stringify({ jql: 'labels = asaf', maxResults: 5000, fields: ['id'] }),
    });
    const tickets = (await found.json()).issues.map((issue) => Number(issue.id));
    await quiet(base);
    const took = await eventToWrite(emulated, base, tickets);
    const seen = await checkToTicket(emulated);
    const memory = [];
    const watching = setInterval(() => memory.push(residentMiB(serve.pid)), 1000);
    const done = await load(base, (n) => tickets[(n * 7919) % tickets.length]);
    clearInterval(watching);
    await until('an empty queue', async () => {
      const text = await figures(base);
      return figure(text, 'asaf_queue_depth{state="ready"}') + figure(text, 'asaf_queue_depth{state="leased"}') === 0;
    });
    const text = await figures(base);
    const runs = figure(text, 'asaf_reconcile_total{kind="named",outcome="ok"}');
    serve.kill('SIGTERM');
    await serve.ended;
    const third = Math.floor(memory.length / 3);
    const mean = (list) => list.reduce((sum, one) => sum + one, 0) / Math.max(list.length, 1);
    return { ...done, took, seen, tickets: tickets.length, runs, first: mean(memory.slice(0, third)), last: mean(memory.slice(-third)), most: Math.max(...memory) };
  } finally {
    world.kill('SIGKILL');
  }
}

// The other sides are not there, so everything that is accepted stays in the store and can be counted.
async function interrupted(folder) {
  const config = join(folder, 'asaf.toml');
  const file = join(folder, 'serve.json');
  const sides = '[aws]\nregion = "eu-west-1"\nendpoint_url = "http://127.0.0.1:9"\n[jira]\nurl = "http://127.0.0.1:9"\n'
    + 'email = "bot@example.com"\ntoken = "env:TOKEN"\nreviewers = { group = "g" }\n[owners]\ndefault = { team = "t", project = "SEC" }\n';
  const env = { ASAF_CONFIG: config, HOOK: secret, TOKEN: 'token', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', ASAF_LOG: 'off' };
  const begin = async (port) => {
    writeFileSync(config, sides + more(port));
    rmSync(file, { force: true });
    const serve = start(['--quiet', 'serve', '--ready-file', file], env);
    const { listen } = await until('asaf serve', () => existsSync(file) && JSON.parse(readFileSync(file, 'utf8')));
    return { serve, listen };
  };
  let { serve, listen } = await begin(0);
  const port = listen.split(':').at(-1);
  const disturb = async () => {
    for (const signal of ['SIGTERM', 'SIGKILL']) {
      await sleep((seconds * 1000) / 3);
      serve.kill(signal);
      await serve.ended;
      ({ serve } = await begin(port));
    }
  };
  const [done] = await Promise.all([load(`http://${listen}`, (n) => n + 1), disturb()]);
  serve.kill('SIGTERM');
  await serve.ended;
  const read = 'import json, sqlite3, sys\nfor (key,) in sqlite3.connect(sys.argv[1]).execute("SELECT key FROM work"): print(json.loads(key)["ticket"])';
  const stored = execFileSync('python3', ['-c', read, join(folder, 'asaf.sqlite3')], { maxBuffer: 1 << 28, encoding: 'utf8' });
  const queued = new Set(stored.trim().split('\n').map(Number));
  const lost = [...done.acknowledged].filter((ticket) => !queued.has(ticket));
  return { ...done, queued: queued.size, lost: lost.length };
}

const quantile = (took, share) => took[Math.min(Math.floor(took.length * share), took.length - 1)];
const times = (took) => `${took.length} events: p50 ${quantile(took, 0.5).toFixed(0)} ms, p95 ${quantile(took, 0.95).toFixed(0)} ms, most ${took.at(-1).toFixed(0)} ms`;
const run = (program, ...args) => execFileSync(program, args, { cwd: root, encoding: 'utf8' }).trim();

function report(work, broken) {
  const { latency } = work;
  const on = `${run(binary, '--version')}, ${run('git', 'rev-parse', '--short', 'HEAD')}, ${new Date().toISOString().slice(0, 10)}`;
  return [
    `\`node benches/webhooks.mjs ${seconds} ${rate}\` (${on}) on ${cpus().length} × ${cpus()[0].model.trim()}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, `
      + 'emulators and load generator on the same machine.',
    '',
    '| what | figure |',
    '|---|---|',
    `| deliveries of 8 KB, ${rate} a second for ${seconds} s over ${connections} connections, engine at work on ${work.tickets} tickets | `
      + `${work.sent} sent, answers ${JSON.stringify(work.answers)}, ${work.errors} errors, ${work.runs} runs |`,
    `| acknowledged after | p50 ${latency.p50} ms, p97.5 ${latency.p97_5} ms, p99 ${latency.p99} ms, most ${latency.max} ms |`,
    `| resident memory | ${work.first.toFixed(1)} MiB in the first third, ${work.last.toFixed(1)} MiB in the last, ${work.most.toFixed(1)} MiB at most |`,
    `| a team resolves → Security Hub is written | ${times(work.took)} |`,
    `| a check passes → the ticket is resolved | ${times(work.seen)} |`,
    `| the same load with a SIGTERM and a SIGKILL in the middle | ${broken.sent} sent, ${broken.acknowledged.size} acknowledged, `
      + `${broken.queued} in the store, **${broken.lost} lost** (${broken.errors} connections broken) |`,
  ].join('\n');
}

const folders = [mkdtempSync(join(tmpdir(), 'asaf-load-')), mkdtempSync(join(tmpdir(), 'asaf-load-'))];
try {
  const work = await atWork(folders[0]);
  const broken = await interrupted(folders[1]);
  console.log(report(work, broken));
  const bad = [];
  if (work.latency.p99 >= 50) bad.push('p99 is not below 50 ms');
  for (const took of [work.took, work.seen]) {
    if (quantile(took, 0.95) >= 2000) bad.push('p95 from an event to the write is not below 2 s');
  }
  if (work.last > work.first * 1.1 + 2) bad.push('memory grows');
  if (Object.keys(work.answers).some((status) => status !== '200') || work.errors > 0) bad.push('not every delivery was accepted');
  if (broken.lost > 0) bad.push('deliveries were lost');
  if (broken.acknowledged.size < broken.sent / 2) bad.push('most deliveries were not acknowledged');
  if (bad.length > 0) throw new Error(bad.join('; '));
} finally {
  folders.forEach((folder) => rmSync(folder, { recursive: true, force: true }));
}
