// An OpenID provider that nobody here wrote (oidc-provider) with CIBA in poll mode behind mutual TLS, in memory, on loopback.
// usage: node ciba.mjs CA.pem CERT.pem KEY.pem CLIENT-JWK → prints {"port":…}, then {"hint","digits"} for each telephone that
// rings. It is touched by lines on standard input, « approve » or « deny », and ends when that closes.

import { createServer } from 'node:https';
import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';
import Provider, { errors } from 'oidc-provider';

const [ca, cert, key] = process.argv.slice(2, 5).map((path) => readFileSync(path));
const clientKey = JSON.parse(process.argv[5]);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

// As Pro Santé Connect writes it, as far as samples show.
const person = (id) => ({
  sub: id, SubjectNameID: id, preferred_username: id, given_name: 'Camille', family_name: 'INVENTEE',
  SubjectRole: ['60^1.2.250.1.213.1.1.5.5'],
  SubjectRefPro: { exercices: [{ codeProfession: '60', codeCategorieProfessionnelle: 'C', nomDexercice: 'INVENTEE', prenomDexercice: 'Camille',
    activities: [{ numeroFinessSite: '750000001', raisonSocialeSite: 'HOPITAL INVENTE', codeSecteurDactivite: 'SA01' }] }] },
});
const known = ['899700101340', '899700201470'];

const server = createServer({ ca, cert, key, requestCert: true, rejectUnauthorized: true });
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  let ringing;
  const grants = ['urn:openid:params:grant-type:ciba', 'refresh_token'];
  const client = { grant_types: grants, response_types: [], redirect_uris: [], backchannel_token_delivery_mode: 'poll', scope: 'openid scope_all offline_access' };
  const provider = new Provider(`https://localhost:${port}`, {
    clients: [
      { ...client, client_id: 'borne-mtls', token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'borne-1.bac-a-sable.invalid', tls_client_certificate_bound_access_tokens: true },
      { ...client, client_id: 'borne-key', token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256', jwks: { keys: [clientKey] } },
      { ...client, client_id: 'borne-of-others', token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'another.invalid' },
    ],
    scopes: ['openid', 'offline_access', 'scope_all'],
    claims: { openid: ['sub'], acr: null, scope_all: Object.keys(person('')) },
    acrValues: ['eidas1'],
    clientAuthMethods: ['tls_client_auth', 'private_key_jwt'],
    ttl: { AccessToken: 60, RefreshToken: 300, BackchannelAuthenticationRequest: 60, Grant: 300, IdToken: 120 },
    issueRefreshToken: async () => true,
    rotateRefreshToken: true,
    findAccount: async (ctx, id) => ({ accountId: id, claims: async () => person(id) }),
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true },
      mTLS: {
        enabled: true, tlsClientAuth: true, certificateBoundAccessTokens: true,
        getCertificate: (ctx) => ctx.socket.getPeerX509Certificate() ?? undefined,
        certificateAuthorized: (ctx) => ctx.socket.authorized,
        certificateSubjectMatches: (ctx, property, expected) => ctx.socket.getPeerCertificate().subject.CN === expected,
      },
      ciba: {
        enabled: true, deliveryModes: ['poll'],
        processLoginHint: async (ctx, hint) => (known.includes(hint) ? hint : undefined),
        verifyUserCode: async () => {},
        validateRequestContext: async () => {},
        validateBindingMessage: async (ctx, digits) => {
          if (!/^\d\d$/.test(digits ?? '')) throw new errors.InvalidBindingMessage('two digits');
        },
        triggerAuthenticationDevice: async (ctx, request) => {
          ringing = request;
          say({ hint: request.accountId, digits: request.params.binding_message });
        },
      },
    },
  });
  provider.on('server_error', (ctx, error) => process.stderr.write(`${error.stack}\n`));
  server.on('request', provider.callback());
  createInterface({ input: process.stdin }).on('line', async (line) => {
    if (line === 'deny') return provider.backchannelResult(ringing, new errors.AccessDenied('refused'));
    const grant = new provider.Grant({ accountId: ringing.accountId, clientId: ringing.clientId });
    grant.addOIDCScope('openid scope_all offline_access');
    await grant.save();
    return provider.backchannelResult(ringing, grant, { acr: 'eidas1' });
  }).on('close', () => process.exit(0));
  say({ port });
});
