namespace Graphene;

public sealed partial record DiagnosticId
{
    /// <summary>A gradient was asked for through an op, or a use of one, that has no rule.</summary>
    public static readonly DiagnosticId NotDifferentiable = new("GR1601", "no gradient through this op");

    /// <summary>A gradient was asked for with respect to something that the result does not depend on.</summary>
    public static readonly DiagnosticId Unconnected = new("GR1602", "no path from the result to what it is differentiated by");

    /// <summary>A gradient was asked for of, or with respect to, something that is no floating-point number.</summary>
    public static readonly DiagnosticId NotFloating = new("GR1603", "only floating-point values have gradients");

    /// <summary>What is given to a gradient (cotangents, tangents) does not fit what it is for.</summary>
    public static readonly DiagnosticId BadCotangent = new("GR1604", "cotangent or tangent does not fit its value");

    /// <summary>A custom gradient does not give what it should.</summary>
    public static readonly DiagnosticId BadCustomGradient = new("GR1605", "custom gradient does not fit its function");

    /// <summary>A function that is mapped over elements has an effect.</summary>
    public static readonly DiagnosticId EffectInMap = new("GR1606", "effect in a mapped function");
}
