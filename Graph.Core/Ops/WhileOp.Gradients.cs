namespace Graphene;

/// <content>Gradients: loops over the same rounds.</content>
public sealed partial record WhileOp
{
    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.DefinedBut(
        "also with a number of rounds that depends on data; the body's effects are not repeated");

    /// <inheritdoc/>
    public override Node?[] VjpAll(VjpSite site) => LoopVjp.Build(site, this);

    /// <inheritdoc/>
    public override Node?[] JvpAll(JvpSite site) => LoopJvp.Build(site, this);
}
