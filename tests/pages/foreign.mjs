// Somebody else's OpenID Connect provider (npm: oidc-provider, certified by the OpenID Foundation) on a loopback port. It
// ends with its standard input. Its first line on stdout says where it is.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

// Nobody reads stdout after the first line.
const tell = console.log;
console.log = console.info = console.error;

const [modules, redirect, secret] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(`${modules}/node_modules/oidc-provider/lib/index.js`));

const key = (kind, options, kid) =>
  ({ ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }), kid, use: 'sig' });
const groups = { 'rosa@example.com': ['security'], 'tim@example.com': ['team-payments'] };
const client = (id, more) => ({ client_id: id, client_secret: secret, redirect_uris: [redirect], ...more });

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      client('asaf', {}),
      client('asaf-es256', { id_token_signed_response_alg: 'ES256' }),
      client('asaf-ps256', { id_token_signed_response_alg: 'PS256' }),
      client('asaf-public', { client_secret: undefined, token_endpoint_auth_method: 'none' }),
    ],
    jwks: { keys: [key('rsa', { modulusLength: 2048 }, 'rsa'), key('ec', { namedCurve: 'P-256' }, 'ec')] },
    // Every request must carry a challenge, and every code its verifier.
    pkce: { required: () => true, methods: ['S256'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['groups'] },
    // Claims stand in the ID token, as with the providers that companies use.
    conformIdTokenClaims: false,
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256'] },
    cookies: { keys: ['of this test'] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: id, email_verified: !id.startsWith('unverified'), groups: groups[id] ?? [] }),
    }),
  });
  provider.on('server_error', (_, error) => console.error(error));
  server.on('request', provider.callback());
  tell(JSON.stringify({ issuer }));
});
process.stdin.on('end', () => process.exit(0)).resume();
