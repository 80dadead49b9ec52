namespace Graphene.Codegen;

/// <summary>
/// A constant that a lowering makes. Its bytes are written once, into their final place, when the executable is put together: large
/// ones (packed weights) are never held twice. Equal constants are stored once.
/// </summary>
public abstract record KernelConstant
{
    private protected KernelConstant()
    {
    }

    /// <summary>The size in bytes.</summary>
    public abstract long SizeInBytes { get; }

    /// <summary>The element type.</summary>
    public abstract DType DType { get; }

    /// <summary>Writes the bytes.</summary>
    /// <param name="target"><see cref="SizeInBytes"/> bytes of any content.</param>
    public abstract void WriteTo(Span<byte> target);

    /// <summary>The constant made in the same way of other literals.</summary>
    /// <param name="counterpart">Gives the literal that takes the place of one, which has the same type; often the same.</param>
    /// <returns>The constant; null when it cannot be made so, and has to be lowered anew.</returns>
    public virtual KernelConstant? With(Func<Literal, Literal> counterpart) => null;

    /// <summary>A constant whose elements are known.</summary>
    /// <param name="Value">The elements.</param>
    public sealed record Of(Literal Value) : KernelConstant
    {
        /// <inheritdoc/>
        public override long SizeInBytes => Value.SizeInBytes;

        /// <inheritdoc/>
        public override DType DType => Value.DType;

        /// <inheritdoc/>
        public override void WriteTo(Span<byte> target) => Value.CopyTo(target);

        /// <inheritdoc/>
        public override KernelConstant With(Func<Literal, Literal> counterpart) => new Of(counterpart(Value));
    }
}
