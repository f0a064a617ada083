import type { Clients } from '../clients.ts';
import type { SimulatedAgent, Troubles } from './agent.ts';
import type { Disk } from './disk.ts';
import type { Scene } from './scene.ts';

/** Troubles planned for each run; those that hit nobody are not counted. */
const FEWEST = 10;
const MOST = 18;

/** Spreads troubles over the busy time of a run: each a spell that begins and, if it is one that ends, ends. */
export function planTroubles(
  scene: Scene,
  disk: Disk,
  agents: readonly SimulatedAgent[],
  clients: Clients,
  span: number,
): void {
  const { random, time } = scene;
  for (let left = random.between(FEWEST, MOST); left > 0; left--) {
    time.after(random.between(0, span), () => {
      const agent = random.pick(agents);
      const [name, strike] = random.pick(Object.entries(TROUBLES));
      scene.note(`trouble for ${agent.id}: ${name}`);
      strike({ scene, disk, agent, clients });
    });
  }
}

interface Victim {
  readonly scene: Scene;
  readonly disk: Disk;
  readonly agent: SimulatedAgent;
  readonly clients: Clients;
}

/** The next one to four hand-overs go wrong in this way. */
const handOver =
  (which: 'refuse' | 'lose' | 'eat' | 'edit' | 'unclear') =>
  ({ scene, agent }: Victim): void => {
    agent.troubles[which] += scene.random.between(1, 4);
  };

/** For a while this holds of the agent. */
function spell(
  { scene, agent }: Victim,
  which: keyof Troubles & ('down' | 'dialog' | 'unreadable' | 'unprobed' | 'unbound'),
) {
  agent.troubles[which] = true;
  scene.time.after(scene.random.between(500, 12_000), () => {
    agent.troubles[which] = false;
    scene.changed(agent);
  });
}

const TROUBLES: Readonly<Record<string, (victim: Victim) => void>> = {
  refused: handOver('refuse'),
  lost: handOver('lose'),
  eaten: handOver('eat'),
  edited: handOver('edit'),
  unclear: handOver('unclear'),
  slow({ scene, agent }) {
    agent.troubles.slowUntil = scene.time.passed + scene.random.between(2_000, 12_000);
  },
  down(victim) {
    victim.scene.faults.count('channel down');
    spell(victim, 'down');
  },
  dialog(victim) {
    victim.scene.faults.count('dialog opened');
    spell(victim, 'dialog');
  },
  unreadable: (victim) => spell(victim, 'unreadable'),
  unprobed: (victim) => spell(victim, 'unprobed'),
  unbound(victim) {
    victim.scene.faults.count('leader unbound');
    spell(victim, 'unbound');
  },
  death({ scene, agent }) {
    agent.die();
    if (scene.random.chance(0.1)) return;
    scene.time.after(scene.random.between(200, 8_000), () => {
      if (agent.life) return;
      agent.start();
      scene.faults.count('agent back as a new incarnation');
    });
  },
  wallClock({ scene }) {
    scene.faults.count('wall clock set');
    scene.time.setWallClock(scene.random.pick([-600_000, -30_000, 5_000, 60_000, 600_000]));
  },
  diskFull({ scene, disk }) {
    disk.full = true;
    scene.time.after(scene.random.between(200, 4_000), () => {
      disk.full = false;
    });
  },
  mailbox: ({ agent, clients }) => clients.readMail(agent.id),
};
