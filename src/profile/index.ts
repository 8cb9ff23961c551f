/** What is loaded when a profile is first opened. */
export { ProfileDrafts } from './drafts';
export { ProfileTab } from './widget';
