using NUnit.Framework;

namespace Graphene.Tests.Core.Ops;

internal sealed class DimValueTests
{
    [Test]
    public void ANumberIsAConstantAndASymbolIsRead()
    {
        Dim batch = Dim.Symbol("batch");
        var b = new GraphBuilder();
        b.Parameter(0, new TensorType(DType.F32, [batch]));
        Node value = b.DimValue((batch * 2) + 1);

        Assert.Multiple(() =>
        {
            Assert.That(b.DimValue(7).Op, Is.TypeOf<ConstantOp>());
            Assert.That(Printer.Print(b.Build("f", [value])), Does.Contain("i64[] dim_value(), dim=2*batch+1"));
            Assert.That(
                value.Op.SubstituteDims(new Dictionary<DimSymbol, Dim> { [batch.AsSymbol!] = 4 }), Is.EqualTo(new DimValueOp(9)));
        });
    }
}
