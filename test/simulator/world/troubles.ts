import { LEADER } from '../../../src/kernel/index.ts';
import type { Leading } from '../clients/leading.ts';
import type { People } from '../clients/people.ts';
import type { Readers } from '../clients/readers.ts';
import type { SimulatedAgent, Troubles } from './agent.ts';
import type { Disk } from './disk.ts';
import type { Scene } from './scene.ts';

/** Troubles planned for each run; those that hit nobody are not counted. */
const FEWEST = 14;
const MOST = 24;

/** Everybody and everything that trouble may come from or come to. */
export interface Troubled {
  readonly scene: Scene;
  readonly disk: Disk;
  readonly agents: readonly SimulatedAgent[];
  readonly readers: Readers;
  readonly people: People;
  readonly leading: Leading;
  /** An orderly end of the coordinator, and the boot of the next. */
  upgrade(): void;
}

/** Spreads troubles over the busy time of a run: each a spell that begins and, if it is one that ends, ends. */
export function planTroubles(around: Troubled, span: number): void {
  const { random, time, note } = around.scene;
  for (let left = random.between(FEWEST, MOST); left > 0; left--) {
    time.after(random.between(0, span), () => {
      const agent = random.pick(around.agents);
      const [name, strike] = random.pick(Object.entries(TROUBLES));
      note(`trouble for ${agent.id}: ${name}`);
      strike({ ...around, agent });
    });
  }
}

type Victim = Troubled & { readonly agent: SimulatedAgent };

/** The next one to four hand-overs go wrong in this way. */
const handOver =
  (which: 'refuse' | 'lose' | 'eat' | 'edit' | 'unclear' | 'startle') =>
  ({ scene, agent }: Victim): void => {
    agent.troubles[which] += scene.random.between(1, 4);
  };

/** For a while this holds of the agent. */
function spell(
  { scene, agent }: Victim,
  which: keyof Troubles & ('down' | 'dialog' | 'unreadable' | 'unprobed' | 'shared'),
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
  startled: handOver('startle'),
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
  shared: (victim) => spell(victim, 'shared'),
  sessionChange: ({ agent }) => agent.changeSession(),
  left({ agent, scene }) {
    agent.troubles.leave = scene.random.between(1, 3);
  },
  recordLost: ({ agent }) => agent.loseRecord(),
  unbound({ scene, leading, agents }) {
    leading.unbind();
    scene.time.after(scene.random.between(500, 12_000), () => {
      const life = scene.random.pick(agents.filter(({ id }) => id === LEADER)).life;
      if (life) leading.bind(life);
    });
  },
  leaderChange(victim) {
    const leader = victim.agents.find(({ id }) => id === LEADER);
    const { scene, leading } = victim;
    const alive = leader?.lives.filter((life) => life.alive && life !== leading.present()) ?? [];
    const life = alive.length > 0 && scene.random.chance(0.5) ? scene.random.pick(alive) : leader?.live();
    if (life) leading.move(life);
  },
  claimRace({ leading, agents }) {
    const leader = agents.find(({ id }) => id === LEADER);
    const alive = leader?.lives.filter((life) => life.alive) ?? [];
    const fresh = leader?.live();
    leading.race([...alive.slice(-2), ...(fresh ? [fresh] : [])]);
  },
  removal({ scene, agent, agents, people }) {
    const member = agent.id === LEADER ? scene.random.pick(agents.filter(({ id }) => id !== LEADER)) : agent;
    people.remove(member);
  },
  death({ scene, agent, leading }) {
    agent.die(agent.id === LEADER ? (leading.present() ?? agent.life) : agent.life);
    if (scene.random.chance(0.1)) return;
    scene.time.after(scene.random.between(200, 8_000), () => {
      if (agent.id === LEADER) {
        const life = agent.life ?? agent.live();
        leading.bind(life);
      } else if (agent.life || agent.removed) return;
      else agent.start();
      scene.faults.count('agent back as a new incarnation');
    });
  },
  wallClock({ scene }) {
    scene.faults.count('wall clock set');
    scene.time.setWallClock(scene.random.pick([-600_000, -30_000, 5_000, 60_000, 600_000]));
  },
  suspend({ scene, disk }) {
    scene.faults.count('machine suspended');
    if (disk.rows('select 1 from offers where settled_at is null').length > 0)
      scene.faults.count('offer open when the machine slept');
    scene.time.suspend(scene.random.between(1, 8) * 3_600_000, scene.random.between(500, 6_000));
  },
  upgrade: ({ upgrade }) => upgrade(),
  diskFull({ scene, disk }) {
    disk.full = true;
    scene.time.after(scene.random.between(200, 4_000), () => {
      disk.full = false;
    });
  },
  mailbox: ({ agent, readers }) => readers.readMail(agent.id),
};
