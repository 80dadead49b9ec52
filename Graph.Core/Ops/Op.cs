using System.Collections.Immutable;

namespace Graphene;

/// <summary>
/// What a node does: a name, attributes as record members, and everything the compiler needs to know about it in one place.
/// </summary>
/// <remarks>Ops are records, so equal attributes make equal ops. Names are StableHLO's.</remarks>
/// <param name="Name">The name in IR text.</param>
public abstract record Op(string Name)
{
    /// <summary>True when the op has an effect besides its results: never merged, removed or reordered with others.</summary>
    public virtual bool HasSideEffects => false;

    /// <summary>True when every result element is a copy of some operand element or a constant: exact for every dtype.</summary>
    public virtual bool MovesDataOnly => false;

    /// <summary>
    /// True when each result element depends on the operands' elements at the same index only, and on scalar operands (a
    /// predicate, a bound).
    /// </summary>
    public virtual bool IsElementwise => false;

    /// <summary>True when computing an element twice costs more than storing and loading it.</summary>
    public virtual bool IsExpensive => false;

    /// <summary>True when <see cref="Element"/> describes the (single or multiple) results.</summary>
    public virtual bool HasElementForm => false;

    /// <summary>The computations that the op carries, for example a reduction's body.</summary>
    public virtual ImmutableArray<Computation> Computations => [];

    /// <summary>The op with its computations replaced, in the order of <see cref="Computations"/>.</summary>
    public virtual Op WithComputations(ImmutableArray<Computation> computations) => computations.IsEmpty
        ? this
        : throw new InvalidOperationException($"{Name} carries no computations");

    /// <summary>The op with symbols replaced in its attributes and result types; nested computations are not touched.</summary>
    public virtual Op SubstituteDims(IReadOnlyDictionary<DimSymbol, Dim> values) => this;

    /// <summary>Writes the attributes; the op's static <c>Parse</c>, listed in <see cref="OpTable"/>, reads them back.</summary>
    public virtual void Write(AttributeWriter w)
    {
    }

    /// <summary>Checks operands and attributes, and gives the result types.</summary>
    /// <exception cref="GraphException">The op cannot be applied to these operands.</exception>
    public virtual ImmutableArray<TensorType> InferTypes(OpSite site) => [InferType(site)];

    /// <summary>The result type of an op with one result.</summary>
    protected virtual TensorType InferType(OpSite site) =>
        throw new InvalidOperationException($"{Name} defines neither InferType nor InferTypes");

    /// <summary>Computes the results from the specification, slowly and plainly: the oracle of the tests.</summary>
    /// <param name="operands">The operands' values.</param>
    /// <param name="results">The static result types.</param>
    public virtual Literal[] EvaluateAll(IReadOnlyList<Literal> operands, ImmutableArray<TensorType> results) =>
        [Evaluate(operands, results[0])];

    /// <summary>Computes the only result; see <see cref="EvaluateAll"/>.</summary>
    protected virtual Literal Evaluate(IReadOnlyList<Literal> operands, TensorType result) =>
        throw new InvalidOperationException($"{Name} has no reference evaluation");

    /// <summary>One element of result <paramref name="result"/> as a scalar expression. Fusion is the composition of these.</summary>
    /// <param name="e">Gives operand elements and makes expressions.</param>
    /// <param name="at">The index of the element.</param>
    /// <param name="result">Which result, for ops with several.</param>
    public virtual ScalarExpr Element(ElementBuilder e, IndexVector at, int result) =>
        throw new InvalidOperationException($"{Name} has no element form");

    /// <summary>What gradients do at this op.</summary>
    public virtual GradientRule Gradient => GradientRule.Missing;

    /// <summary>
    /// Reverse mode: the cotangents of the operands from those of the results, the transposed derivative applied to them. Built from
    /// differentiable ops only.
    /// </summary>
    /// <returns>One for each operand, of its type; null for zero.</returns>
    public virtual Node?[] VjpAll(VjpSite site) => Vjp(site.Builder, site.Node, site.Cotangent(0));

    /// <summary>Reverse mode for an op with one result; see <see cref="VjpAll"/>.</summary>
    protected virtual Node?[] Vjp(GraphBuilder b, Node self, Node cotangent) =>
        throw new InvalidOperationException($"{Name} has no rule for reverse mode");

    /// <summary>Forward mode: the tangents of the results from those of the operands, the derivative applied to them.</summary>
    /// <returns>One for each result, of its type; null for zero.</returns>
    public virtual Node?[] JvpAll(JvpSite site) => [Jvp(site.Builder, site.Node, site.Tangents)];

    /// <summary>Forward mode for an op with one result; see <see cref="JvpAll"/>.</summary>
    protected virtual Node? Jvp(GraphBuilder b, Node self, ImmutableArray<Node?> tangents) =>
        throw new InvalidOperationException($"{Name} has no rule for forward mode");

    /// <summary>
    /// The sum of a node and another value of its type when there is something better than adding them, because the node is zero
    /// outside of some places; null otherwise.
    /// </summary>
    public virtual Node? AddTo(GraphBuilder b, Node self, Node other) => null;

    /// <summary>
    /// The op applied to many elements at once: results with a new first dimension, from operands of which some have one. Null where
    /// a loop over the elements is as good.
    /// </summary>
    public virtual Node[]? Vectorize(VectorizeSite site) => null;
}
