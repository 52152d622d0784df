import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, type World } from '#test/support/world.js';

const app = '0oa1sendgrid';

describe('the SendGrid app in Okta', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ app });
  });
  afterAll(() => world.end());

  const assigned = (name: string) => {
    const person = world.hire(name);
    world.okta.users.get(person.id)?.apps.add(app);
    return person;
  };

  it('taken from somebody removes their access', async () => {
    const jane = assigned('jane');
    world.okta.users.get(jane.id)?.apps.delete(app);
    await world.post(world.event('application.user_membership.remove', jane, { appId: app }));
    await world.quiet();
    expect(world.account().has(jane.email)).toBe(false);
  });

  it('still assigned leaves them alone, whatever the event says', async () => {
    const kim = assigned('kim');
    await world.post(world.event('application.user_membership.remove', kim, { appId: app }));
    await world.quiet();
    expect(world.account().has(kim.email)).toBe(true);
  });

  it('is not meant by an event about another app', async () => {
    const leo = world.hire('leo');
    await world.post(world.event('application.user_membership.remove', leo, { appId: '0oaother' }));
    await world.quiet();
    expect(world.account().has(leo.email)).toBe(true);
  });

  it('that never covered a teammate is no reason to remove them: it is reported', async () => {
    const mia = world.hire('mia');
    await world.post(world.event('user.account.update_profile', mia));
    await world.quiet();
    expect(world.account().has(mia.email)).toBe(true);
    const { items } = await world.json<{ items: { reasons: string[] }[] }>('plans', 'list');
    expect(items[0]?.reasons.join()).toContain('drift');
  });

  it('that was deleted removes nobody', async () => {
    const nia = assigned('nia');
    world.okta.apps.delete(app);
    await world.post(world.event('application.user_membership.remove', nia, { appId: app }));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(world.account().has(nia.email)).toBe(true);
    world.okta.apps.add(app);
  });
});
