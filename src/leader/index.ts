/** Who leads. For now nobody but a person at a shell: the mailbox. */
export { mailboxOf } from './mailbox.ts';
