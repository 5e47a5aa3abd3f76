import type { Project } from '../../engine/graph.ts'
import type { Context } from '../context.ts'
import type { World } from '../world.ts'
import { rememberNames } from './nameCache.ts'

/** After a command has seen the graph: its names are what the next key press may ask for. */
export async function rememberProject(
  { env }: Pick<Context, 'env'>,
  { project, engine, root, pipeline, config }: World,
  addresses: readonly string[],
): Promise<void> {
  const { pipelines } = project.config as Project
  const { settingPaths } = await import('../schema/describeConfig.ts')
  rememberNames(env, project.configFile, {
    root,
    pipelines: pipelines.map(({ pipeline }) => pipeline.name),
    targets: await engine.targets(),
    addresses,
    settings: settingPaths(pipeline.config, config.shown),
  })
}
