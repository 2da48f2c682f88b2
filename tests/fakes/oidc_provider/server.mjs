// A real OpenID provider (oidc-provider) with invented people, run by the tests as a program of its own.
// Standard input: one line of JSON {port, clients}. Standard output: "ready <port>" when it listens.
// POST /test/rotate-keys signs from then on with a new key; GET /test/events tells how back-channel logout went.
import * as crypto from 'node:crypto';
import * as http from 'node:http';
import * as readline from 'node:readline';
import Provider from 'oidc-provider';

const PEOPLE = {
  EE38001085718: { given_name: 'Mari', family_name: 'Maasikas', birthdate: '1980-01-08' },
  EE37605030299: { given_name: 'Juhan', family_name: 'Juurikas', birthdate: '1976-05-03' },
  EE60001018800: { given_name: 'MARY ÄNN', family_name: 'O’CONNEŽ-ŠUSLIK TESTNUMBER', birthdate: '2000-01-01' },
};
const LEVELS = ['low', 'substantial', 'high'];

const [line] = await new Promise((resolve) => {
  readline.createInterface({ input: process.stdin }).once('line', (text) => resolve([text]));
});
const { port, clients } = JSON.parse(line);
const issuer = `http://localhost:${port}`;
const events = [];

function newKey(alg) {
  const pair = alg === 'ES256'
    ? crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...pair.privateKey.export({ format: 'jwk' }), kid: crypto.randomUUID(), use: 'sig', alg };
}

function build(alg) {
  const provider = new Provider(issuer, {
    clients: clients.map((client) => ({ ...client, id_token_signed_response_alg: alg })),
    jwks: { keys: [newKey(alg)] },
    cookies: { keys: ['for the tests only'] },
    acrValues: LEVELS,
    claims: { openid: ['sub', 'given_name', 'family_name', 'birthdate'], acr: null, amr: null, sid: null },
    conformIdTokenClaims: false,
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256'] },
    // Its own fetch refuses this machine's addresses, where the portal under test listens.
    fetch: (url, options) => globalThis.fetch(url, { ...options, dispatcher: undefined }),
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true, logoutSource, postLogoutSuccessSource: logoutSource },
    },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, ...PEOPLE[id] }) }),
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client.clientId,
        accountId: ctx.oidc.session.accountId,
      });
      grant.addOIDCScope('openid');
      await grant.save();
      return grant;
    },
  });
  provider.on('server_error', (_ctx, error) => events.push({ event: 'server_error', message: error.message }));
  provider.on('grant.error', (_ctx, error) => events.push({ event: 'grant.error', message: error.error_description }));
  provider.on('backchannel.success', () => events.push({ event: 'backchannel.success' }));
  provider.on('backchannel.error', (_ctx, error) => {
    events.push({ event: 'backchannel.error', message: `${error.message}: ${error.cause?.message}` });
  });
  return provider;
}

async function logoutSource(ctx, form) {
  ctx.body = `<!doctype html><title>Provider</title><h1>Sign out of the provider?</h1>${form ?? ''}
    <button type="submit" form="op.logoutForm" value="yes" name="logout">Yes, sign me out</button>`;
}

let provider = build('RS256');
let answer = provider.callback();

async function interaction(request, response) {
  const url = new URL(request.url, issuer);
  if (request.method === 'GET' && !url.searchParams.has('person')) {
    const details = await provider.interactionDetails(request, response);
    const links = Object.entries(PEOPLE).flatMap(([sub, person]) => LEVELS.map((level) => (
      `<li><a href="?person=${sub}&level=${level}">${person.given_name} ${person.family_name}, ${level}</a>`)));
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.end(`<!doctype html><title>Provider</title><h1>Who are you?</h1>
      <p>Asked for: ${details.params.acr_values ?? 'nothing'}, ${details.params.ui_locales ?? 'any'}
      <ul>${links.join('')}</ul><a href="?person=nobody&level=">Cancel</a>`);
    return;
  }
  const accountId = url.searchParams.get('person');
  const level = url.searchParams.get('level');
  const result = accountId === 'nobody'
    ? { error: 'user_cancel', error_description: '<b>The user</b> went away.' }
    : { login: { accountId, remember: false, ...(level ? { acr: level, amr: ['idcard'] } : {}) } };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

http.createServer(async (request, response) => {
  try {
    if (request.url.startsWith('/interaction/')) {
      await interaction(request, response);
    } else if (request.url === '/test/events') {
      response.end(JSON.stringify(events));
    } else if (request.url.startsWith('/test/rotate-keys')) {
      provider = build(new URL(request.url, issuer).searchParams.get('alg') ?? 'RS256');
      answer = provider.callback();
      response.end('rotated');
    } else {
      answer(request, response);
    }
  } catch (error) {
    events.push({ event: 'failure', message: String(error) });
    response.statusCode = 500;
    response.end(String(error));
  }
}).listen(port, 'localhost', () => process.stdout.write(`ready ${port}\n`));
