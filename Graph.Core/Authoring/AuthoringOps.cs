using System.Collections.Immutable;

namespace Graphene;

// These ops exist only while a graph is built: lowering replaces each of them.

/// <summary>A value that is fed.</summary>
internal sealed record PlaceholderOp(string Key, TensorType Type, Literal? Default) : Op("placeholder")
{
    protected override TensorType InferType(OpSite site) => Type;
}

/// <summary>The value of a variable after so many assignments were built.</summary>
internal sealed record VariableReadOp(Variable Variable, int Version) : Op("variable_read")
{
    protected override TensorType InferType(OpSite site) => Variable.Type;
}

/// <summary>Gives a variable a new value, which is also the result.</summary>
internal sealed record VariableAssignOp(Variable Variable) : Op("variable_assign")
{
    public override bool HasSideEffects => true;

    protected override TensorType InferType(OpSite site) => Variable.Type;
}

/// <summary>Its first operand; a run that needs it also does the effects among the others.</summary>
internal sealed record ControlOp() : Op("control")
{
    public override ImmutableArray<TensorType> InferTypes(OpSite site) => [site.Operand(0)];
}
