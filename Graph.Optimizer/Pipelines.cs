namespace Graphene.Optimizer;

/// <summary>Every pass, in order, with the reason for its place. Read this file first.</summary>
public static class Pipelines
{
    /// <summary>What every compilation runs.</summary>
    public static PassPipeline Default() => new(
        PassGroup.Once(new Fusion())); // last of the rewrites: everything after it sees kernels, not ops
}
