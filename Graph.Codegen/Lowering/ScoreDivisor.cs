namespace Graphene.Codegen;

/// <summary>What the weights of one vector of queries are divided by, prepared once.</summary>
internal sealed class ScoreDivisor(KBuilder b, KExpr divisor, KernelTarget target)
{
    private readonly RepeatedDivision? _division =
        RepeatedDivision.Pays(target, divisor.Type.Element) ? RepeatedDivision.Prepare(b, divisor) : null;

    /// <summary>The quotient of one vector; a divisor that is no vector is that of all lanes.</summary>
    public KExpr Divide(KExpr dividend) =>
        _division?.Divide(b, dividend) ?? KBuilder.Divide(dividend, KBuilder.Broadcast(divisor, dividend.Type.Lanes));
}
