/** True in `./script/test --long`: the sweeps that are too long for every run take their full length. */
export const long: boolean = process.env.SUITE_LONG === '1';
