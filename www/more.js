// Everything that a first visit does without. The build makes a second script of what only this module needs.
// @ts-check
import { embed } from "./embed.js";
import { lecture } from "./lecture.js";
import { ownData } from "./own.js";
import { failed, poster, posterOf } from "./poster.js";
import { predict } from "./predict.js";
import { share } from "./share.js";
import { sweep } from "./sweep.js";

export const parts = { embed, failed, lecture, ownData, poster, posterOf, predict, share, sweep };

/** @typedef {typeof parts} Parts */
