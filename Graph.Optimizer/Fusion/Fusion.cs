namespace Graphene.Optimizer;

/// <summary>Puts nodes that are computed together into <c>fusion</c> nodes: one kernel each, nothing inside goes through memory.</summary>
/// <remarks>
/// Afterwards every node of the entry and of control-flow bodies is a parameter, a constant, a <c>fusion</c>, a tuple access, a
/// reshape (another name for the same memory) or an op that has a kernel of its own kind (control flow, sort, scatter, custom
/// calls). Contract with the back ends:
/// <list type="bullet">
/// <item>a Loop fusion's results all have one shape;</item>
/// <item>a Reduction fusion's results have the shape that is reduced or what remains of it, see <see cref="ReductionSpace"/>;</item>
/// <item>a Dot or Convolution fusion's body has one dot or convolution, whose operands are parameters, and results of its shape;</item>
/// <item>bodies read parameters and compute splat constants; larger constants are operands.</item>
/// </list>
/// </remarks>
public sealed class Fusion() : GraphPass("fusion")
{
    /// <inheritdoc/>
    public override Module Run(Module module, PassContext context) =>
        ComputationRewriter.Rewrite(module, (computation, owner) =>
            ControlFlow.IsExecuted(owner) && NeedsFusion(computation) ? Fuse(computation, module.Provenance, context) : computation);

    private static bool NeedsFusion(Computation computation) =>
        computation.PostOrder().Any(node => FusionRoles.Of(node) is not
            (FusionRole.External or FusionRole.TupleElement or FusionRole.Reshape) && node.Op is not ConstantOp);

    private static Computation Fuse(Computation computation, ProvenanceTable provenance, PassContext context) =>
        FusionEmitter.Emit(computation, FusionPlanner.Plan(computation, context), provenance);
}
