using System.Collections.Immutable;

namespace Graphene;

/// <summary>Calls something by name that the IR knows nothing about.</summary>
/// <remarks>Any operands, any results. Who compiles the graph says what the name means. Source: StableHLO, custom_call.</remarks>
/// <param name="Target">The name of what is called.</param>
/// <param name="Config">Text that is handed on as it is.</param>
/// <param name="Results">The types of the results.</param>
/// <param name="HasEffect">True when the call does more than give results, so that it may not be removed or merged.</param>
public sealed record CustomCallOp(string Target, string Config, ValueList<TensorType> Results, bool HasEffect)
    : Op("custom_call")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) =>
        new CustomCallOp(a.Text("target"), a.Text("config"), a.ResultTypes.ToValueList(), a.Bool("has_side_effect"));

    /// <inheritdoc/>
    public override bool HasSideEffects => HasEffect;

    /// <inheritdoc/>
    public override bool IsExpensive => true;

    /// <inheritdoc/>
    public override Op SubstituteDims(IReadOnlyDictionary<DimSymbol, Dim> values) =>
        this with { Results = Results.Select(type => type.Substitute(values)).ToValueList() };

    /// <inheritdoc/>
    public override void Write(AttributeWriter w)
    {
        w.AddText("target", Target);
        w.AddText("config", Config);
        w.Add("has_side_effect", HasEffect);
    }

    /// <inheritdoc/>
    public override ImmutableArray<TensorType> InferTypes(OpSite site) => [.. Results];

    /// <inheritdoc/>
    public override Literal[] EvaluateAll(IReadOnlyList<Literal> operands, ImmutableArray<TensorType> results) =>
        throw new GraphException(
            DiagnosticId.UnknownCustomCall, $"custom_call: there is no implementation of '{Target}'",
            why: "the reference evaluator knows the ops of the IR only", fix: "import or write the graph without the call");

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.Refused("nobody knows what a custom call computes");
}

/// <summary>Builds custom calls.</summary>
public static class CustomCallBuilder
{
    /// <summary>Calls <paramref name="target"/>, which the compiler of the graph must know.</summary>
    public static Node CustomCall(
        this GraphBuilder b, string target, IReadOnlyList<Node> operands, IReadOnlyList<TensorType> results, string config = "",
        bool hasEffect = false) =>
        b.Add(new CustomCallOp(target, config, results.ToValueList(), hasEffect), [.. operands]);
}
