// Opens every page in Chromium: both themes, wide and narrow, by keyboard, and with axe-core. Prints what is wrong, one line
// each; nothing when all is well.
import { createRequire } from 'node:module';
import { mkdirSync, readFileSync } from 'node:fs';

const [origin, modules, shots, ...paths] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
mkdirSync(shots, { recursive: true });

const wrong = new Set();
if (new Set(paths.map(nameOf)).size !== paths.length) wrong.add('two pages have one picture');
const browser = await chromium.launch({ executablePath: process.env.ASAF_CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
for (const colorScheme of ['light', 'dark']) {
  for (const [size, width] of [['wide', 1280], ['narrow', 390]]) {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } });
    const page = await context.newPage();
    let path = '';
    const say = (what) => wrong.add(`${path} ${colorScheme} ${size}: ${what}`);
    page.on('console', (message) => { if (message.type() !== 'log') say(`console: ${message.text()}`); });
    page.on('pageerror', (error) => say(`error: ${error}`));
    page.on('dialog', (dialog) => { say(`dialog: ${dialog.message()}`); dialog.dismiss(); });
    page.on('request', (request) => { if (!request.url().startsWith(origin)) say(`asks for ${request.url()}`); });
    for (path of paths) {
      const answer = await page.goto(origin + path);
      if (answer.status() !== 200) say(`answers ${answer.status()}`);
      const name = nameOf(path);
      await page.screenshot({ path: `${shots}/${colorScheme}-${size}${name}.png`, fullPage: true });
      if (await page.evaluate('window.planted !== undefined')) say('a hostile text has run');
      const over = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      if (over > 0) say(`is ${over} px wider than the window`);
      await page.evaluate(axe);
      const { violations } = await page.evaluate('axe.run()');
      for (const one of violations) say(`axe ${one.id}: ${one.nodes[0].html.slice(0, 160)} ${one.nodes[0].failureSummary}`);
      await keyboard(page, say);
    }
    await context.close();
  }
}
await browser.close();

// Each page has its own picture, whatever is asked of it.
function nameOf(path) {
  const [place, asked] = path.split('?');
  const words = (place === '/' ? '/overview' : place) + (asked ? `-${asked}` : '');
  return words.replaceAll(/[^A-Za-z0-9.]+/g, '-').slice(0, 60);
}

// The first stop is the way past the head; every stop can be seen; nothing that can be reached is left out.
async function keyboard(page, say) {
  await page.evaluate('document.activeElement?.blur(); scrollTo(0, 0)');
  const reach = 'a[href], button, input:not([type=hidden]), select, summary, [tabindex="0"]';
  const wanted = await page.evaluate((reach) => [...document.querySelectorAll(reach)].filter((e) => e.checkVisibility()).length, reach);
  const stops = await page.evaluate(() => 0);
  let seen = stops;
  await page.keyboard.press('Tab');
  if (await page.evaluate('document.activeElement.className') !== 'skip') say('the first stop is not the way to the content');
  while (seen < wanted && seen < 120) {
    seen += 1;
    const visible = await page.evaluate(() => {
      const style = getComputedStyle(document.activeElement);
      return document.activeElement === document.body || (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2);
    });
    if (!visible) say(`no ring around ${await page.evaluate('document.activeElement.outerHTML.slice(0, 120)')}`);
    await page.keyboard.press('Tab');
  }
  await page.evaluate('document.querySelector(".skip").focus()');
  await page.keyboard.press('Enter');
  if (await page.evaluate('document.activeElement.id') !== 'main') say('the way to the content does not lead there');
}

for (const line of wrong) console.log(line);
