/** The environment the adapters read, for tests that import them: names, nothing else. */
Object.assign(process.env, {
  AWS_REGION: 'local',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  TIMEOUT_SECONDS: '60',
  POWERTOOLS_DEV: 'false',
  POWERTOOLS_SERVICE_NAME: 'test',
});
