namespace Graphene.Codegen;

/// <summary>Says how long kernels take. A device does, and tests have clocks of their own.</summary>
internal interface IProductTimer
{
    /// <summary>The time of kernels that run one after the other, in microseconds.</summary>
    /// <param name="kernels">The kernels of one product.</param>
    /// <param name="plan">How they compute it.</param>
    /// <param name="sizes">The values of symbols.</param>
    double Microseconds(IReadOnlyList<LoweredKernel> kernels, ProductPlan plan, Func<DimSymbol, long> sizes);
}
