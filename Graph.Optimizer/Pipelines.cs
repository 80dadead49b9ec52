namespace Graphene.Optimizer;

/// <summary>Every pass, in order, with the reason for its place. Read this file first.</summary>
public static class Pipelines
{
    // Each pass makes work for the others; graphs settle after a few rounds.
    private const int MaxRounds = 8;

    /// <summary>What every compilation runs.</summary>
    public static PassPipeline Default() => new(
        new PassGroup(
            "simplification", MaxRounds,
            new CompositeInlining(),              // first: a name hides what can be simplified
            new ConditionalSimplification(),      // early: what a branch that never runs computes need not be looked at
            new LoopSimplification(),             // what leaves a loop can meet what is around it
            new TransposeFolding(),               // before folding: a transpose that a dot absorbs must not be computed
            new QuantizedProducts(),              // after transposes are in dots, and before folding makes f32 of stored bytes
            new ConvolutionCanonicalization(),    // before folding, which rearranges the weights for it
            new AlgebraicSimplifier(),            // canonical forms (constants to the right, merged broadcasts) for all that follows
            new BatchNormFolding(),               // leaves factors that only constant folding can compute
            new ConstantFolding()),               // last of the round: it makes constants of everything the others exposed
        PassGroup.Once(new LayoutAssignment       // once the graph is small: what is gone needs no order
        {
            MustFollow = ["convolution-canonicalization", "batch-norm-folding"],
        }),
        new PassGroup(
            "layout-simplification", MaxRounds,   // transposes that the last pass left cancel, or become constants
            new TransposeFolding(),
            new AlgebraicSimplifier(),
            new ConstantFolding()),
        PassGroup.Once(new OperandMaterialization // after simplification, which keeps repeated scalars as such
        {
            MustFollow = ["layout-assignment", "algebraic-simplifier"],
            MustPrecede = ["convolution-padding"],    // which asks whether weights are finite
        }),
        PassGroup.Once(new ConvolutionPadding     // after simplification, which would merge the padding again
        {
            MustFollow = ["layout-assignment", "algebraic-simplifier"],
        }),
        PassGroup.Once(new CompositeRecognition   // after all simplification: it brings variants into one form
        {
            MustFollow = ["transpose-folding", "algebraic-simplifier"],
            MustPrecede = ["reshape-sinking", "fusion"],
        }),
        PassGroup.Once(new ReshapeSinking()),     // after simplification, which would merge the reshapes it leaves behind
        PassGroup.Once(new Fusion                 // last of the rewrites: everything after it sees kernels, not ops
        {
            MustFollow = ["transpose-folding", "algebraic-simplifier", "reshape-sinking"],
        }),
        PassGroup.Once(new Rematerialization      // when whole kernels can be weighed, and before they are tied together
        {
            MustFollow = ["fusion"],
            MustPrecede = ["batch-fusion"],
        }),
        PassGroup.Once(new BatchFusion            // joins calls of kernels, so it must know what the kernels are
        {
            MustFollow = ["fusion"],
        }));
}
