using System.Collections.Immutable;

namespace Graphene;

// These ops exist only while a graph is built: lowering replaces each of them.

/// <summary>A value that is fed.</summary>
internal sealed record PlaceholderOp(string Key, TensorType Type, Literal? Default) : Op("placeholder")
{
    public override GradientRule Gradient => GradientRule.Zero("it depends on nothing");

    protected override TensorType InferType(OpSite site) => Type;
}

/// <summary>The value of a variable after so many assignments were built.</summary>
internal sealed record VariableReadOp(Variable Variable, int Version) : Op("variable_read")
{
    public override GradientRule Gradient => GradientRule.Zero("it depends on nothing");

    protected override TensorType InferType(OpSite site) => Variable.Type;
}

/// <summary>Gives a variable a new value, which is also the result.</summary>
internal sealed record VariableAssignOp(Variable Variable) : Op("variable_assign")
{
    public override bool HasSideEffects => true;

    public override GradientRule Gradient => GradientRule.Zero("a read after an assignment is a value of its own");

    protected override TensorType InferType(OpSite site) => Variable.Type;
}

/// <summary>Its first operand; a run that needs it also does the effects among the others.</summary>
internal sealed record ControlOp() : Op("control")
{
    public override GradientRule Gradient => GradientRule.Defined;

    public override ImmutableArray<TensorType> InferTypes(OpSite site) => [site.Operand(0)];

    public override Node?[] VjpAll(VjpSite site) => [site.Cotangent(0), .. new Node?[site.Node.Operands.Length - 1]];

    public override Node?[] JvpAll(JvpSite site) => [site.Tangents[0]];
}
