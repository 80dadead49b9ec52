namespace Graphene.Runtime;

/// <summary>Writes an index as bytes; <see cref="FileIndexReader"/> is the exact inverse.</summary>
internal sealed class FileIndexWriter : FieldWriter
{
    /// <summary>The bytes of an index.</summary>
    public static byte[] Write(FileIndex index)
    {
        var w = new FileIndexWriter();
        w.Text(index.Name);
        w.Text(index.CompilerVersion);
        w.List(index.Variants, w.Variant);
        w.List(index.States, w.State);
        w.List(index.Signatures, w.Signature);
        w.List(index.Plans, w.Plan);
        return w.ToArray();
    }

    private void Variant(FileVariant variant)
    {
        Text(variant.Name);
        Text(variant.TargetTriple);
        Text(variant.CpuFeatures);
    }

    private void State(FileState state)
    {
        Text(state.Name);
        Int32((int)state.Type.DType);
        Int32(state.Type.Rank);
        foreach (long extent in state.Type.Shape.ToStatic())
        {
            Int64(extent);
        }
        Int64(state.Initial);
    }

    private void Signature(FileSignature signature)
    {
        Text(signature.Name);
        Text(signature.Source);
        List(signature.States, use =>
        {
            Int32(use.State);
            Int32(use.Input);
            Int32(use.Output);
        });
    }

    private void Plan(int[] objects)
    {
        Int32(objects.Length);
        foreach (int number in objects)
        {
            Int32(number);
        }
    }
}
