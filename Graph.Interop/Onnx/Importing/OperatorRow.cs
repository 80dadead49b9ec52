namespace Graphene.Interop.Onnx.Importing;

/// <summary>One operator of ONNX, from a version of its operator set on.</summary>
/// <param name="Domain">The operator's domain; the standard domain is the empty string.</param>
/// <param name="Name">The operator's name.</param>
/// <param name="Since">The first version of the operator set that this row is for.</param>
/// <param name="Import">Makes nodes from a call.</param>
internal sealed record OperatorRow(string Domain, string Name, int Since, Action<OperatorCall> Import);
