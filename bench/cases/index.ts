// Every case: kernels family by family, then modules made of them, then what the model's structure saves.

import type { Case, SizeClass } from '../case.js'
import { attentionCases } from './attention.js'
import { blockCases } from './blocks.js'
import { convCases } from './conv.js'
import { elementwiseCases } from './elementwise.js'
import { matmulCases } from './matmul.js'
import { moveCases } from './move.js'
import { normCases } from './norm.js'
import { structureCases } from './structure.js'

const families = [
  matmulCases,
  convCases,
  attentionCases,
  normCases,
  elementwiseCases,
  moveCases,
  blockCases,
  structureCases,
]

/** The cases of a class. */
export const casesOf = (shapes: SizeClass): Case[] => families.flatMap(family => family[shapes])
